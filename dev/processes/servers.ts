/** Starts servers as processes: our own programs directly, foreign ones under a keeper. All end when the stack does. */
import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildRoot } from '../home/paths.js';
import { messageOf } from '../start-error.js';
import { signal } from './identity.js';
import type { KeeperMessage, KeptCommand } from './keeper.js';

/** A server process. */
export interface Running {
  /** Killing this pid kills exactly this server. */
  readonly pid: number;
  /** Resolves when the process is gone, with how it ended: a signal's name or an exit code. */
  readonly ended: Promise<string>;
  /** Asks it to stop, and kills it after `withinMs`. Resolves when it is gone. */
  stop(withinMs: number): Promise<void>;
}

const tether = pathToFileURL(join(buildRoot, 'dev/processes/tether.js')).href;

/** With twice Node's 16 MiB, what a request or a step allocates is garbage before it would be copied. */
export const nodeOptions = ['--max-semi-space-size=32'] as const;

/** Starts one of our own programs. Its output is appended to `logFile`. */
export async function ownServer(program: string, env: NodeJS.ProcessEnv, logFile: string): Promise<Running> {
  const child = withLog(logFile, (log) =>
    fork(join(buildRoot, program), [], {
      detached: true,
      env,
      // Not our own options: a debugger's port, for example.
      execArgv: [...nodeOptions, '--import', tether],
      stdio: ['ignore', log, log, 'ipc'],
    }),
  );
  const ended = new Promise<string>((done) =>
    child.once('exit', (code, killedBy) => done(killedBy ?? `exit code ${code}`)),
  );
  const pid = await spawned(child);
  return { pid, ended, stop: (withinMs) => stopBy(() => signal(pid, 'SIGTERM'), [pid], ended, withinMs) };
}

const keeperKilled = 'its keeper was killed';

/** Starts a foreign program under a keeper. Its output is appended to `logFile`. */
export async function keptServer(kept: KeptCommand, logFile: string): Promise<Running> {
  const keeper = withLog(logFile, (log) =>
    fork(join(buildRoot, 'dev/processes/keeper.js'), [], {
      detached: true,
      execArgv: [],
      stdio: ['ignore', log, log, 'ipc'],
    }),
  );
  const keeperPid = await spawned(keeper);
  const first = new Promise<KeeperMessage>((done) => keeper.once('message', (message: KeeperMessage) => done(message)));
  const ended = new Promise<string>((done) => {
    keeper.on('message', (message: KeeperMessage) => message.kind === 'ended' && done(message.how));
    keeper.once('exit', (_code, killedBy) => done(killedBy === null ? 'ended' : keeperKilled));
    // A message could not be sent; the exit event follows.
    keeper.on('error', () => undefined);
  });
  keeper.send(kept);
  const answer = await Promise.race([first, ended]);
  if (typeof answer === 'string' || answer.kind !== 'started')
    throw new Error(
      typeof answer === 'string' || answer.kind === 'ended' ? `ended at once: ${answer}` : answer.message,
    );
  const { pid } = answer;
  // A killed keeper leaves its server behind, and only we can end it now.
  const gone = ended.then((how) => {
    if (how === keeperKilled) signal(pid, 'SIGKILL');
    return how;
  });
  const ask = () => keeper.connected && keeper.disconnect();
  const exit = new Promise<string>((done) =>
    keeper.exitCode === null ? keeper.once('exit', () => done('')) : done(''),
  );
  return { pid, ended: gone, stop: (withinMs) => stopBy(ask, [pid, keeperPid], exit, withinMs) };
}

async function stopBy(ask: () => unknown, pids: number[], ended: Promise<string>, withinMs: number): Promise<void> {
  ask();
  const force = setTimeout(() => {
    for (const pid of pids) signal(pid, 'SIGKILL');
  }, withinMs);
  await ended;
  clearTimeout(force);
}

function withLog(file: string, start: (log: number) => ChildProcess): ChildProcess {
  const log = openSync(file, 'a', 0o600);
  try {
    return start(log);
  } finally {
    closeSync(log);
  }
}

function spawned(child: ChildProcess): Promise<number> {
  return new Promise((done, fail) => {
    child.once('spawn', () => (child.pid === undefined ? fail(new Error('no pid')) : done(child.pid)));
    child.once('error', (error) => fail(new Error(`cannot start: ${messageOf(error)}`)));
  });
}
