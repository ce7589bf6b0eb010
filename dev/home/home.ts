/** The stack's folder: its layout, its lock, and the secrets generated in it. */
import { randomBytes } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { messageOf, StartError, systemCode } from '../start-error.js';
import { claim, unclaim } from './claims.js';
import { projectRoot } from './paths.js';

export interface Home {
  readonly path: string;
  readonly devJson: string;
  readonly ports: string;
  readonly servers: string;
  readonly postgres: string;
  readonly temporal: string;
  readonly sandbox: string;
  readonly demoMarker: string;
  /** The log file of a server. */
  log(name: string): string;
  /** Reads a secret of this home, or generates and stores it. */
  secret(name: string, make: () => string): string;
  /** Releases the folder for another stack. */
  release(): void;
}

/** HOLDFAST_HOME, or `.holdfast` in the project. */
export function homePath(env: Readonly<Record<string, string | undefined>>): string {
  return env.HOLDFAST_HOME ? resolve(env.HOLDFAST_HOME) : join(projectRoot, '.holdfast');
}

/** Prepares and claims the folder. Throws StartError if it is unusable or another stack holds it. */
export function openHome(path: string): Home {
  makeFolder(path);
  const lock = join(path, 'lock');
  const result = claim(lock);
  if (result.kind === 'held')
    throw new StartError(`a stack already runs on ${path} (pid ${result.pid}); stop it, or set another HOLDFAST_HOME`);
  for (const folder of ['logs', 'temporal', 'sandbox']) mkdirSync(join(path, folder), { recursive: true, mode: 0o700 });
  return {
    path,
    devJson: join(path, 'dev.json'),
    ports: join(path, 'ports.json'),
    servers: join(path, 'servers.json'),
    postgres: join(path, 'postgres'),
    temporal: join(path, 'temporal'),
    sandbox: join(path, 'sandbox'),
    demoMarker: join(path, 'demo-data-loaded'),
    log: (name) => join(path, 'logs', `${name}.log`),
    secret: (name, make) => secret(join(path, name), make),
    release: () => unclaim(lock),
  };
}

function makeFolder(path: string): void {
  try {
    makeFolders(path);
    if (!statSync(path).isDirectory())
      throw new StartError(`HOLDFAST_HOME cannot be used: ${path}: it is not a folder`);
    // If the stack is root, Postgres runs as another user, which must be able to pass through this folder, but not list it.
    const wanted = process.getuid?.() === 0 ? 0o711 : 0o700;
    if ((statSync(path).mode & 0o777) !== wanted) chmodSync(path, wanted);
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    if (error instanceof StartError) throw error;
    const why =
      systemCode(error) === 'EEXIST' || systemCode(error) === 'ENOTDIR' ? 'it is not a folder' : messageOf(error);
    throw new StartError(`HOLDFAST_HOME cannot be used: ${path}: ${why}`);
  }
}

/** Creates each missing parent in turn. Node's recursive mkdir never returns under /proc. */
function makeFolders(path: string): void {
  if (existsSync(path)) return;
  makeFolders(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}

function secret(file: string, make: () => string): string {
  try {
    const text = readFileSync(file, 'utf8').trim();
    if (text !== '') return text;
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw new StartError(`${file} cannot be read: ${messageOf(error)}`);
  }
  const made = make();
  writeFileSync(`${file}.new`, `${made}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return made;
}

export const randomPassword = () => randomBytes(24).toString('hex');
