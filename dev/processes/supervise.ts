/** Keeps a server running: starts it, watches it, starts it again on the same port when it died. */
import { setTimeout as sleep } from 'node:timers/promises';
import { lastWords, logLength } from '../home/log-files.js';
import { messageOf, StartError } from '../start-error.js';
import type { Running } from './servers.js';

export interface ServerPlan {
  /** As people read it: `postgres`, `worker 1`. */
  readonly name: string;
  readonly logFile: string;
  launch(): Promise<Running>;
  /** Resolves as soon as the server serves; asks again and again until then. Rejects when `signal` aborts. */
  ready(pid: number, signal: AbortSignal): Promise<void>;
  /** Last words of a start that failed only because something old was not quite gone yet. */
  readonly passing?: RegExp;
}

export interface Supervisor {
  /** Before another try while a server keeps dying. */
  readonly longestWaitMs: number;
  /** A line for people. */
  say(line: string): void;
  /** A process was started. */
  launched(): void;
  /** A server is ready, for the first time or again. */
  ready(): void;
}

const firstStartWithinMs = 60_000;
const passesWithinMs = 10_000;
/** The wait before the second try while a server keeps dying; the first is at once, and each later wait is twice as long. */
const firstWaitMs = 100;
/** After this long a server that dies is taken to have been well. */
const wellAfterMs = 20_000;

export class Supervised {
  private running: Running | null = null;
  private readyPid = 0;
  private readonly stopping = new AbortController();
  private starting: Promise<void> = Promise.resolve();
  private watching: Promise<void> = Promise.resolve();

  constructor(
    readonly plan: ServerPlan,
    private readonly supervisor: Supervisor,
  ) {}

  /** The pid to kill to kill exactly this server: while it is down, the one that it had. 0 before it was ever ready. */
  get pid(): number {
    return this.readyPid;
  }

  /** The pid of its process that runs now, ready or not. */
  get runningPid(): number | null {
    return this.running?.pid ?? null;
  }

  /** Resolves when the server is ready for the first time. Throws StartError where it does not get there. */
  start(): Promise<void> {
    this.starting = this.startOnce();
    return this.starting;
  }

  /** Stops the server and the watch over it, also in the middle of a start. */
  async stop(withinMs: number): Promise<void> {
    this.stopping.abort();
    await this.running?.stop(withinMs);
    await Promise.allSettled([this.starting, this.watching]);
    await this.running?.stop(withinMs);
    this.running = null;
  }

  private async startOnce(): Promise<void> {
    const from = Date.now();
    for (;;) {
      const logFrom = logLength(this.plan.logFile);
      const failure = await this.tryOnce(AbortSignal.timeout(firstStartWithinMs));
      if (failure === null) break;
      const words = await lastWords(this.plan.logFile, logFrom);
      const passing = this.plan.passing?.test(words) && Date.now() - from < passesWithinMs;
      if (!passing || this.stopping.signal.aborted)
        throw new StartError(
          `${this.plan.name} did not start: ${failure}${words && `: ${words}`}\n  log: ${this.plan.logFile}`,
        );
      await sleep(200);
    }
    this.watching = this.keepAlive();
  }

  private async keepAlive(): Promise<void> {
    let deaths = 0;
    while (this.running) {
      const wellSince = Date.now();
      const how = await this.running.ended;
      if (this.stopping.signal.aborted) return;
      const diedAt = Date.now();
      if (diedAt - wellSince > wellAfterMs) deaths = 0;
      this.running = null;
      if (!(await this.restart(deaths, how, diedAt))) return;
      deaths++;
    }
  }

  /** Tries until the server is ready again; false when the stack stops meanwhile. */
  private async restart(deaths: number, how: string, diedAt: number): Promise<boolean> {
    for (let tries = deaths; ; tries++) {
      const wait = tries === 0 ? 0 : Math.min(firstWaitMs * 2 ** (tries - 1), this.supervisor.longestWaitMs);
      await sleep(wait, undefined, { signal: this.stopping.signal }).catch(() => undefined);
      if (this.stopping.signal.aborted) return false;
      // Nothing that goes wrong here may end the watch: what was there for the first start may be there again.
      const failure = await this.tryOnce(null).catch(messageOf);
      if (this.stopping.signal.aborted) return false;
      if (failure === null) {
        this.supervisor.say(
          `${this.plan.name} ended (${how}); back after ${((Date.now() - diedAt) / 1000).toFixed(1)} s`,
        );
        return true;
      }
      if (tries - deaths === 5)
        this.supervisor.say(`${this.plan.name} keeps ending (${failure}); log: ${this.plan.logFile}`);
    }
  }

  /** Launches the server and waits until it is ready. Answers why it is not, if it is not; then nothing of it is left. */
  private async tryOnce(limit: AbortSignal | null): Promise<string | null> {
    let launched: Running;
    try {
      launched = await this.plan.launch();
    } catch (error) {
      if (error instanceof StartError) throw error;
      return messageOf(error);
    }
    this.running = launched;
    this.supervisor.launched();
    const endedFirst = new AbortController();
    const signals = [this.stopping.signal, endedFirst.signal, ...(limit ? [limit] : [])];
    const failure = await Promise.race([
      this.plan.ready(launched.pid, AbortSignal.any(signals)).then(() => null, messageOf),
      launched.ended,
    ]);
    endedFirst.abort();
    if (failure === null) {
      this.readyPid = launched.pid;
      this.supervisor.ready();
      return null;
    }
    if (this.stopping.signal.aborted) return 'stopped';
    await launched.stop(2000);
    this.running = null;
    return limit?.aborted ? `not ready within ${firstStartWithinMs / 1000} s` : failure;
  }
}

/** Asks every 50 ms until `ask` answers true; rejects when the signal aborts. An `ask` that throws has answered no. */
export async function until(ask: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  for (;;) {
    if (signal.aborted) throw new Error('stopped waiting');
    if (await ask().catch(() => false)) return;
    await sleep(50);
  }
}
