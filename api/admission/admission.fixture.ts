/** A machine and its clients in simulated time, for tests of admission. Needs faked timers. */
import { vi } from 'vitest';
import type { Admission, Entry } from './admission.js';

/** A machine that runs sagas one after another. */
export class Machine {
  #freeAt = 0;

  /** @param perSecond sagas that it runs per second */
  constructor(private readonly perSecond: number) {}

  async work(): Promise<void> {
    const now = performance.now();
    this.#freeAt = Math.max(now, this.#freeAt) + 1000 / this.perSecond;
    await pause(this.#freeAt - now);
  }
}

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** The signal of a client that does not hang up. */
export const connected = () => new AbortController().signal;

export interface Tally {
  /** Latency of each admitted call. */
  readonly answeredMs: number[];
  refused: number;
}

/** One call of a client; returns its entry. */
export async function call(admission: Admission, machine: Machine, tally: Tally, apiKeyId = 'a'): Promise<Entry> {
  const began = performance.now();
  const entry = await admission.enter({ apiKeyId, waitMs: 10_000, gone: connected() });
  if (entry.kind === 'refused') tally.refused++;
  if (entry.kind !== 'admitted') return entry;
  await machine.work();
  entry.place.leave(true);
  tally.answeredMs.push(performance.now() - began);
  return entry;
}

/** Clients that call in a loop and obey Retry-After, for some simulated seconds. */
export async function crowd(
  admission: Admission,
  machine: Machine,
  { clients, seconds, apiKeyId = 'a' }: { clients: number; seconds: number; apiKeyId?: string },
): Promise<Tally> {
  const tally: Tally = { answeredMs: [], refused: 0 };
  const end = performance.now() + seconds * 1000;
  const all = Array.from({ length: clients }, async () => {
    while (performance.now() < end) {
      const entry = await call(admission, machine, tally, apiKeyId);
      if (entry.kind === 'refused') await pause(entry.retryAfterSeconds * 1000);
    }
  });
  await vi.advanceTimersByTimeAsync(seconds * 1000 + 30_000);
  await Promise.all(all);
  return tally;
}

/** The latency at a quantile. */
export function quantile(tally: Tally, at: number): number {
  const sorted = [...tally.answeredMs].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * at)] ?? 0;
}
