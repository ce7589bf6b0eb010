import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Coalescer, CoalescerTimeout } from './coalescer.js';

/** A run that records its batches and ends on demand. */
function slowRun() {
  const batches: number[][] = [];
  const finish: ((outcome?: Error) => void)[] = [];
  const run = (items: readonly number[]) =>
    new Promise<readonly string[]>((resolve, reject) => {
      batches.push([...items]);
      finish.push((error) => (error ? reject(error) : resolve(items.map((item) => `did ${item}`))));
    });
  return { batches, finish, run };
}
const turn = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));

describe('a coalescer', () => {
  test('sends a lone caller at once, and those that arrive meanwhile together and in order', async () => {
    const { batches, finish, run } = slowRun();
    const coalescer = new Coalescer(run);
    const first = coalescer.submit(1);
    await turn();
    const later = [2, 3, 4].map((item) => coalescer.submit(item));
    await turn();
    expect(batches).toEqual([[1]]);
    finish[0]?.();
    expect(await first).toBe('did 1');
    await turn();
    expect(batches).toEqual([[1], [2, 3, 4]]);
    finish[1]?.();
    expect(await Promise.all(later)).toEqual(['did 2', 'did 3', 'did 4']);
  });

  test('never exceeds its limits on batches in flight and their weight, and sends an overweight item alone', async () => {
    const { batches, finish, run } = slowRun();
    const coalescer = new Coalescer(run, { maxInFlight: 2, maxWeight: 10, weigh: (item) => item });
    const all = [4, 5, 3, 25, 1, 9].map((item) => coalescer.submit(item));
    await turn();
    await turn();
    expect(batches).toEqual([[4, 5], [3]]);
    finish[1]?.();
    await turn();
    expect(batches).toEqual([[4, 5], [3], [25]]);
    finish[0]?.();
    await turn();
    expect(batches).toEqual([[4, 5], [3], [25], [1, 9]]);
    finish[2]?.();
    finish[3]?.();
    expect(await Promise.all(all)).toEqual([4, 5, 3, 25, 1, 9].map((item) => `did ${item}`));
  });

  test('rejects items that waited too long without sending them, and keeps later ones', async () => {
    const { batches, finish, run } = slowRun();
    const coalescer = new Coalescer(run, { maxWaitMs: 300 });
    const first = coalescer.submit(1);
    await turn();
    const late = [2, 3].map((item) => coalescer.submit(item));
    const given = Promise.allSettled(late);
    await sleep(400);
    const inTime = coalescer.submit(4);
    finish[0]?.();
    expect(await first).toBe('did 1');
    expect((await given).map((each) => each.status === 'rejected' && each.reason)).toEqual([
      expect.any(CoalescerTimeout),
      expect.any(CoalescerTimeout),
    ]);
    await turn();
    expect(batches).toEqual([[1], [4]]);
    finish[1]?.();
    expect(await inTime).toBe('did 4');
  });

  test('gives the error of a batch to all of its callers and to no others', async () => {
    const { finish, run } = slowRun();
    const coalescer = new Coalescer(run);
    const settled = Promise.allSettled([1, 2].map((item) => coalescer.submit(item)));
    await turn();
    const next = coalescer.submit(3);
    finish[0]?.(new Error('connection lost'));
    expect((await settled).map((each) => each.status === 'rejected' && String(each.reason))).toEqual([
      'Error: connection lost',
      'Error: connection lost',
    ]);
    await turn();
    finish[1]?.();
    expect(await next).toBe('did 3');
  });

  test('rejects a caller for whom the batch has no result', async () => {
    const coalescer = new Coalescer<number, string>(async (items) => items.slice(1).map(String));
    const settled = await Promise.allSettled([coalescer.submit(1), coalescer.submit(2)]);
    expect(settled.map((each) => each.status)).toEqual(['fulfilled', 'rejected']);
  });
});
