/**
 * The step before a deployment's first start and after each update (`migrate` in docker-compose.yml): brings the database
 * up to date, registers Temporal's search attributes, and creates the first API key. Safe to run any number of times.
 *
 * Reads DATABASE_URL (of the role that API and workers run as), MIGRATE_DATABASE_URL (of the role that owns the database),
 * TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE. If HOLDFAST_BOOTSTRAP_API_KEY is set, that key gets every scope. Otherwise, if
 * there is no key at all, it creates one and prints it this one time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureApiKey, listApiKeys, newApiKey, readApiKey } from '../../db/access/api-keys.js';
import { connect, type Database } from '../../db/postgres/client.js';
import { migrate } from '../../db/upgrade/migrate.js';
import { describeStanding, OlderRelease } from '../../db/upgrade/release.js';
import { runningRoleOf } from '../../db/upgrade/roles.js';
import { scopes } from '../../domain/scopes.js';
import { misspeltSettings } from '../../domain/setting-names.js';
import { messageOf } from '../start-error.js';
import { setUpTemporal } from '../temporal/setup.js';

/** How long servers may take to start. */
const patienceMs = 120_000;

const {
  DATABASE_URL,
  MIGRATE_DATABASE_URL,
  TEMPORAL_ADDRESS,
  TEMPORAL_NAMESPACE = 'default',
  HOLDFAST_BOOTSTRAP_API_KEY = '',
} = process.env;
for (const warning of misspeltSettings(process.env)) console.log(warning);
if (!DATABASE_URL || !TEMPORAL_ADDRESS) fail('DATABASE_URL and TEMPORAL_ADDRESS must be set');
if (HOLDFAST_BOOTSTRAP_API_KEY !== '' && !readApiKey(HOLDFAST_BOOTSTRAP_API_KEY))
  fail('HOLDFAST_BOOTSTRAP_API_KEY is not an API key (hf_<env>_<random>_<checksum>); leave it out to have one created');

const ownerUrl = MIGRATE_DATABASE_URL || DATABASE_URL;
const running = runningRoleOf(DATABASE_URL, ownerUrl);
if (!running) console.log('API and workers will run as the owner of the database; see MIGRATE_DATABASE_URL');
const standing = await patiently('the database', () => migrate(ownerUrl, running, { report: console.log }));
console.log(`the database is ${describeStanding(standing)}`);
await patiently('Temporal', () => setUpTemporal(TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE));
console.log('Temporal has the search attributes');

const connection = connect(ownerUrl, { applicationName: 'holdfast-migrate', maxConnections: 1 });
await firstKey(connection.db, HOLDFAST_BOOTSTRAP_API_KEY);
await connection.close();

async function firstKey(db: Database, wanted: string): Promise<void> {
  if (wanted !== '') {
    await ensureApiKey(db, { key: wanted, name: 'bootstrap', scopes });
    console.log('the bootstrap API key works');
    return;
  }
  const known = await listApiKeys(db, { limit: 1, cursor: null });
  if (known.items.length > 0) return;
  const { key } = newApiKey('prod');
  await ensureApiKey(db, { key, name: 'bootstrap', scopes });
  console.log(`the first API key, with every scope, shown only once: ${key}`);
}

async function patiently<T>(what: string, step: () => Promise<T>): Promise<T> {
  for (const until = Date.now() + patienceMs; ; await sleep(1000)) {
    try {
      return await step();
    } catch (error) {
      if (error instanceof OlderRelease || Date.now() > until) fail(`${what}: ${messageOf(error)}`);
      console.log(`waiting for ${what}: ${messageOf(error)}`);
    }
  }
}

function fail(problem: string): never {
  console.error(`migrate: ${problem}`);
  process.exit(2);
}
