import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Progress } from './terminal.js';

let written: string;
beforeEach(() => {
  vi.useFakeTimers();
  written = '';
});
afterEach(() => {
  vi.useRealTimers();
});

function progressOn(isTerminal: boolean): Progress {
  const began = Date.now();
  const write = (text: string) => {
    written += text;
  };
  return new Progress({ write, isTerminal }, () => (Date.now() - began) / 1000);
}
const later = <T>(seconds: number, value: T) => new Promise<T>((done) => setTimeout(() => done(value), seconds * 1000));

describe('the progress of the start', () => {
  test('has a line for each step with its time, and during silence a line that says what it waits for', async () => {
    const progress = progressOn(false);
    const steps = [progress.step('Postgres', later(2, 'port')), progress.step('Temporal', later(13, null), 'found')];
    await vi.advanceTimersByTimeAsync(13_500);
    expect(await Promise.all(steps)).toEqual(['port', null]);
    progress.end();
    expect(written.split('\n')).toEqual([
      '   2.0 s  Postgres: ready',
      '   7.0 s  waiting for Temporal',
      '  12.0 s  waiting for Temporal',
      '  13.0 s  Temporal: found',
      '',
    ]);
  });

  test('shows on a terminal what it waits for in one line, which the next line replaces', async () => {
    const progress = progressOn(true);
    const step = progress.step('Postgres', later(2.5, null));
    await vi.advanceTimersByTimeAsync(2500);
    await step;
    await vi.advanceTimersByTimeAsync(5000);
    expect(written).toBe(
      '   1.0 s  waiting for Postgres\r\x1b[K   2.0 s  waiting for Postgres\r\x1b[K   2.5 s  Postgres: ready\n',
    );
  });

  test('says of a step what its result means', async () => {
    const progress = progressOn(false);
    const step = progress.step('database', later(2, 'newer'), (found) => `left as it is: ${found}`);
    await vi.advanceTimersByTimeAsync(2000);
    expect(await step).toBe('newer');
    expect(written).toBe('   2.0 s  database: left as it is: newer\n');
  });

  test('says nothing about a failed step and no longer waits for it', async () => {
    const progress = progressOn(false);
    const step = progress.step('Temporal', Promise.reject(new Error('no way there')));
    await expect(step).rejects.toThrow('no way there');
    await vi.advanceTimersByTimeAsync(20_000);
    expect(written).toBe('');
  });
});
