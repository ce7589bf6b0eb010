/** How a server becomes a process: our own programs directly, foreign ones in a keeper. Both end when the stack does. */
import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildRoot } from '../home/paths.js';
import { messageOf } from '../start-error.js';
import { signal } from './identity.js';
import type { KeeperMessage, KeptCommand } from './keeper.js';

/** A process that serves (or is about to). */
export interface Running {
  /** The pid to kill to kill exactly this server. */
  readonly pid: number;
  /** Resolves when it is gone, with how it went: a signal's name or an exit code. */
  readonly ended: Promise<string>;
  /** Stops it politely, and for good after `withinMs`. Resolves when it is gone. */
  stop(withinMs: number): Promise<void>;
}

const tether = pathToFileURL(join(buildRoot, 'dev/processes/tether.js')).href;

/** What a request or a step has made is garbage before twice as much as Node's 16 MiB has come: it is not copied first. */
export const nodeOptions = ['--max-semi-space-size=32'] as const;

/** Starts one of our own programs. Its output is appended to `logFile`. */
export async function ownServer(program: string, env: NodeJS.ProcessEnv, logFile: string): Promise<Running> {
  const child = withLog(logFile, (log) =>
    fork(join(buildRoot, program), [], {
      detached: true,
      env,
      // Our own options (a debugger's port, say) are not theirs.
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

/** Starts a foreign program in a keeper. Its output is appended to `logFile`. */
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
    // A message that can no longer be sent: the exit tells.
    keeper.on('error', () => undefined);
  });
  keeper.send(kept);
  const answer = await Promise.race([first, ended]);
  if (typeof answer === 'string' || answer.kind !== 'started')
    throw new Error(
      typeof answer === 'string' || answer.kind === 'ended' ? `ended at once: ${answer}` : answer.message,
    );
  const { pid } = answer;
  // A keeper that was killed leaves its server behind: nobody but us can end it now.
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
    child.once('error', (error) => fail(new Error(`cannot be started: ${messageOf(error)}`)));
  });
}
