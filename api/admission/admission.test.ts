import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { call, connected, crowd, Machine, pause, quantile, type Tally } from './admission.fixture.js';
import { Admission, type Entry, type Request } from './admission.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const admit = (limit: number | null = null) => new Admission({ limit, registry: new Registry() });
const enter = (admission: Admission, apiKeyId = 'a', more: Partial<Request> = {}): Promise<Entry> =>
  admission.enter({ apiKeyId, waitMs: 10_000, gone: connected(), ...more });

/** Enters, and fails unless it gets a place. */
async function placed(admission: Admission, apiKeyId = 'a') {
  const entry = await enter(admission, apiKeyId);
  if (entry.kind !== 'admitted') throw new Error(entry.kind);
  return entry.place;
}

describe('a burst', () => {
  test.each([
    { calls: 200, perSecond: 60, arriveWithinMs: 500 },
    { calls: 200, perSecond: 8, arriveWithinMs: 3000 },
    { calls: 400, perSecond: 25, arriveWithinMs: 1000 },
  ])('of $calls is admitted completely by a machine that does $perSecond a second', async (burst) => {
    const [admission, machine, tally] = [admit(), new Machine(burst.perSecond), { answeredMs: [], refused: 0 }];
    const all = Array.from({ length: burst.calls }, async (_, index) => {
      await pause((index * burst.arriveWithinMs) / burst.calls);
      return call(admission, machine, tally);
    });
    await vi.advanceTimersByTimeAsync(120_000);
    expect((await Promise.all(all)).map(({ kind }) => kind)).toEqual(all.map(() => 'admitted'));
  });

  test('whose clients have waited long enough is admitted beyond the limit, a few at a time', async () => {
    const admission = admit(2);
    for (let n = 0; n < 2; n++) await placed(admission);
    const entries: Entry[] = [];
    for (let n = 0; n < 5; n++) void enter(admission, 'a', { waitMs: 1500 }).then((entry) => entries.push(entry));
    await vi.advanceTimersByTimeAsync(1700);
    expect(entries).toMatchObject([
      { kind: 'admitted', place: { waitMs: 0 } },
      { kind: 'admitted', place: { waitMs: 0 } },
    ]);
    for (const entry of entries) if (entry.kind === 'admitted') entry.place.leaveLater();
    await vi.advanceTimersByTimeAsync(1);
    expect(entries).toHaveLength(4);
  });
});

test('a client with little of its wait left has its saga started, and does not wait for the decision', async () => {
  const admission = admit(1);
  const place = await placed(admission);
  const waiting = enter(admission, 'a', { waitMs: 2000 });
  await vi.advanceTimersByTimeAsync(1500);
  place.leave(true);
  expect(await waiting).toMatchObject({ kind: 'admitted', place: { waitMs: 0 } });
});

describe('lasting overload', () => {
  test.each([
    { clients: 64, perSecond: 25 },
    { clients: 256, perSecond: 25 },
    { clients: 256, perSecond: 12 },
  ])('of $clients clients leaves a machine that does $perSecond a second busy, and answers in 2 s', async (load) => {
    const seconds = 60;
    const tally = await crowd(admit(), new Machine(load.perSecond), { clients: load.clients, seconds });
    expect(tally.answeredMs.length).toBeGreaterThan(0.95 * load.perSecond * seconds);
    expect(quantile(tally, 0.99)).toBeLessThan(2000);
    expect(tally.refused).toBeGreaterThan(0);
  });

  test('is not declared for 40 callers of slow sagas: nobody is refused', async () => {
    const tally = await crowd(admit(), new Machine(8), { clients: 40, seconds: 60 });
    expect(tally.refused).toBe(0);
    expect(tally.answeredMs.length).toBeGreaterThan(100);
  });

  test('is not declared while the machine keeps up: nobody is refused', async () => {
    const tally = await crowd(admit(), new Machine(60), { clients: 64, seconds: 60 });
    expect(tally.refused).toBe(0);
    expect(quantile(tally, 0.99)).toBeLessThan(2000);
  });

  test('ends with its cause: the next burst is admitted completely', async () => {
    const [admission, machine] = [admit(), new Machine(25)];
    const first = await crowd(admission, machine, { clients: 256, seconds: 30 });
    expect(first.refused).toBeGreaterThan(0);
    const tally: Tally = { answeredMs: [], refused: 0 };
    const burst = Array.from({ length: 100 }, () => call(admission, machine, tally));
    await vi.advanceTimersByTimeAsync(30_000);
    await Promise.all(burst);
    expect(tally).toMatchObject({ refused: 0 });
  });

  test('by one key does not delay calls of another key', async () => {
    const [admission, machine] = [admit(), new Machine(25)];
    const greedy = crowd(admission, machine, { clients: 256, seconds: 60, apiKeyId: 'greedy' });
    const modest: Tally = { answeredMs: [], refused: 0 };
    const calls = (async () => {
      for (let n = 0; n < 30; n++) {
        await pause(1500);
        await call(admission, machine, modest, 'modest');
      }
    })();
    await Promise.all([greedy, calls]);
    expect(modest).toMatchObject({ refused: 0 });
    expect(quantile(modest, 0.99)).toBeLessThan(1500);
  });
});

describe('the queue', () => {
  test('gives each API key its turn', async () => {
    const admission = admit(1);
    const place = await placed(admission);
    const order: string[] = [];
    for (const key of ['a', 'a', 'a', 'b'])
      void enter(admission, key).then((entry) => {
        order.push(key);
        if (entry.kind === 'admitted') entry.place.leave(true);
      });
    await vi.advanceTimersByTimeAsync(1);
    place.leave(true);
    await vi.advanceTimersByTimeAsync(1);
    expect(order).toEqual(['a', 'b', 'a', 'a']);
  });

  test('drops a client that hangs up, which gets no place', async () => {
    const admission = admit(1);
    const place = await placed(admission);
    const client = new AbortController();
    const gone = enter(admission, 'a', { gone: client.signal });
    const next = enter(admission);
    client.abort();
    expect(await gone).toEqual({ kind: 'gone' });
    place.leave(true);
    expect(await next).toMatchObject({ kind: 'admitted' });
  });

  test('is refused when the process stops, and so are new calls; admitted calls keep their places', async () => {
    const admission = admit(1);
    const place = await placed(admission);
    const waiting = enter(admission);
    admission.stop();
    const stopping = { kind: 'refused', why: 'stopping' };
    expect(await waiting).toMatchObject(stopping);
    place.leave(true);
    expect(await enter(admission)).toMatchObject(stopping);
  });
});

describe('a place', () => {
  test('is freed after a while if the saga stays undecided, so that a hanging saga holds up nobody', async () => {
    const admission = admit(1);
    const hanging = await placed(admission);
    const next = enter(admission);
    await vi.advanceTimersByTimeAsync(2100);
    expect(await next).toMatchObject({ kind: 'admitted' });
    hanging.leave(true);
    expect(await Promise.race([enter(admission), Promise.resolve('waits')])).toBe('waits');
  });

  test('that is freed twice counts once', async () => {
    const admission = admit(1);
    const place = await placed(admission);
    place.leave(true);
    place.leave(true);
    await placed(admission);
    expect(await Promise.race([enter(admission), Promise.resolve('waits')])).toBe('waits');
  });

  test('is held for a while for a saga that nobody waits for', async () => {
    const admission = admit(1);
    const place = await placed(admission);
    const next = enter(admission);
    place.leaveLater();
    expect(await Promise.race([next, Promise.resolve('waits')])).toBe('waits');
    await vi.advanceTimersByTimeAsync(1000);
    expect(await next).toMatchObject({ kind: 'admitted' });
  });
});
