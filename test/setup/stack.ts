/** Starts a separate embedded stack, like `npm start`, on a temporary home. For tests, drills and benchmarks. */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DevJson, StackPids } from '../../dev/home/dev-json.js';
import { projectRoot } from '../../dev/home/paths.js';

export type ServerName = 'api' | 'worker' | 'temporal' | 'postgres' | 'sandbox';

export interface Stack extends Omit<DevJson, 'pids'> {
  readonly home: string;
  /** The current dev.json. */
  readonly devJson: string;
  /** The current pids. */
  readonly pids: StackPids;
  /** Kills a server with SIGKILL and returns its pid. `index` is for workers. */
  kill(name: ServerName, index?: number): Promise<number>;
  /** Resolves with the new pid when the server whose pid was `killed` is ready again. Rejects after 30 s. */
  waitRestarted(name: ServerName, killed: number, index?: number): Promise<number>;
  /** Everything the stack has printed. */
  output(): string;
  /** Ends the stack with this signal and returns its exit code; null if it was killed. Keeps the home. */
  end(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<number | null>;
  /** Stops the stack in order and removes its temporary home. */
  stop(): Promise<void>;
}

export interface StackOptions {
  /** An existing home, which is not removed. */
  readonly home?: string;
}

/** For stacks whose servers are killed over and over: takes over sooner than in production. */
export const quickTakeover = {
  WORKFLOW_TASK_TIMEOUT_SECONDS: '2',
  OUTBOX_CLAIM_SECONDS: '2',
  RESTART_MAX_WAIT_SECONDS: '0.1',
};

const readyWithinMs = 120_000;

/** The settings of the person who runs the tests must not reach the stacks under test, least of all their database. */
const notInherited =
  /^(HOLDFAST_(?!BUILD$)|API_(PORT|HOST)$|METRICS_HOST$|TRUSTED_PROXIES$|UNAUTHENTICATED_|ADMISSION_|(MIGRATE_)?DATABASE_(URL|TIMEOUT_SECONDS)$|TEMPORAL_(ADDRESS|NAMESPACE|TLS|API)|WORKERS$|RESTART_|OUTBOX_|WORKFLOW_|LOG_LEVEL$|NODE_|VITEST|.*_SECONDS$|RETRY_|RATE_|SUPPLIER_|DELIVERY_|PAYMENT_|FRAUD_|CUSTOMER_|STRIPE_|INSTALLATION$|ALLOW_LIVE_PAYMENTS$|GATEWAY_)/;

/** This process's environment without Holdfast's settings except a given build, plus `env`. */
export function cleanEnvironment(env: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !notInherited.test(name));
  return { ...Object.fromEntries(inherited), ...env };
}

export interface StackProcess {
  readonly child: ChildProcess;
  /** Resolves with the exit code when the process ends; null if it was killed. */
  readonly exited: Promise<number | null>;
  output(): string;
}

/** Starts the stack's process without waiting, for starts that fail. It ends with this process. */
export function spawnStack(env: Readonly<Record<string, string>>): StackProcess {
  const child = fork(join(projectRoot, 'dev/start.mjs'), [], {
    cwd: projectRoot,
    env: cleanEnvironment(env),
    execArgv: [],
    // In its own group, so that Ctrl-C in the terminal reaches only us, and we stop it.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  const exited = new Promise<number | null>((done) => child.once('close', (code) => done(code)));
  return { child, exited, output: () => output };
}

/** Starts a stack. Resolves when it is ready; rejects with its output if it fails to start. */
export async function startStack(
  env: Readonly<Record<string, string>> = {},
  options: StackOptions = {},
): Promise<Stack> {
  const home = options.home ?? mkdtempSync(join(tmpdir(), 'holdfast-'));
  const { child, exited, output } = spawnStack({ ...env, HOLDFAST_HOME: home });
  let ended: { code: number | null } | null = null;
  void exited.then((code) => {
    ended = { code };
  });
  const devJson = join(home, 'dev.json');
  const deadline = Date.now() + readyWithinMs;
  while (!output().includes('Holdfast is ready')) {
    if (ended || Date.now() > deadline) {
      child.kill('SIGTERM');
      throw new Error(`the stack did not start${ended ? '' : ' in time'}:\n${output()}`);
    }
    await sleep(25);
  }
  const read = (): DevJson => JSON.parse(readFileSync(devJson, 'utf8'));
  const { pids: _, ...addresses } = read();
  const pidOf = (name: ServerName, index: number): number | null => {
    const { workers, ...others } = read().pids;
    return name === 'worker' ? (workers[index] ?? null) : others[name];
  };
  const end = (signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL') => {
    child.kill(signal);
    return exited;
  };
  return {
    ...addresses,
    home,
    devJson,
    output,
    end,
    get pids() {
      return read().pids;
    },
    kill: async (name, index = 0) => {
      const pid = pidOf(name, index);
      if (pid === null) throw new Error(`${name} is not running`);
      process.kill(pid, 'SIGKILL');
      return pid;
    },
    waitRestarted: async (name, killed, index = 0) => {
      for (const until = Date.now() + 30_000; Date.now() < until; await sleep(25)) {
        const pid = pidOf(name, index);
        if (pid !== null && pid !== killed) return pid;
      }
      throw new Error(`${name} was not restarted:\n${output()}`);
    },
    stop: async () => {
      await end('SIGTERM');
      if (options.home === undefined) rmSync(home, { recursive: true, force: true });
    },
  };
}
