import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { call, connected, crowd, Machine, pause, share, type Tally } from './admission.fixture.js';
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

/** Enters and must get a place at once. */
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
  ])('of $calls is let in whole by a machine that does $perSecond a second', async (burst) => {
    const [admission, machine, tally] = [admit(), new Machine(burst.perSecond), { answeredMs: [], refused: 0 }];
    const all = Array.from({ length: burst.calls }, async (_, index) => {
      await pause((index * burst.arriveWithinMs) / burst.calls);
      return call(admission, machine, tally);
    });
    await vi.advanceTimersByTimeAsync(120_000);
    expect((await Promise.all(all)).map(({ kind }) => kind)).toEqual(all.map(() => 'admitted'));
  });

  test('whose clients have waited long enough is let in beside the others, a few at a time', async () => {
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

test('a client of whose wait little is left has its saga started, and does not wait for the decision', async () => {
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
    expect(share(tally, 0.99)).toBeLessThan(2000);
    expect(tally.refused).toBeGreaterThan(0);
  });

  test('is none with 40 callers of slow sagas: nobody is refused', async () => {
    const tally = await crowd(admit(), new Machine(8), { clients: 40, seconds: 60 });
    expect(tally.refused).toBe(0);
    expect(tally.answeredMs.length).toBeGreaterThan(100);
  });

  test('refuses nobody where the machine keeps up', async () => {
    const tally = await crowd(admit(), new Machine(60), { clients: 64, seconds: 60 });
    expect(tally.refused).toBe(0);
    expect(share(tally, 0.99)).toBeLessThan(2000);
  });

  test('ends with what caused it: the next burst is let in whole', async () => {
    const [admission, machine] = [admit(), new Machine(25)];
    const first = await crowd(admission, machine, { clients: 256, seconds: 30 });
    expect(first.refused).toBeGreaterThan(0);
    const tally: Tally = { answeredMs: [], refused: 0 };
    const burst = Array.from({ length: 100 }, () => call(admission, machine, tally));
    await vi.advanceTimersByTimeAsync(30_000);
    await Promise.all(burst);
    expect(tally).toMatchObject({ refused: 0 });
  });

  test('by one key does not keep another from being let in soon', async () => {
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
    expect(share(modest, 0.99)).toBeLessThan(1500);
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

  test('is left by a client that hangs up, who gets no place', async () => {
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

  test('is answered when the process stops, and so are newcomers; who has a place keeps it', async () => {
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
  test('is taken from a saga that stays undecided, so that one that hangs holds up nobody', async () => {
    const admission = admit(1);
    const hanging = await placed(admission);
    const next = enter(admission);
    await vi.advanceTimersByTimeAsync(2100);
    expect(await next).toMatchObject({ kind: 'admitted' });
    hanging.leave(true);
    expect(await Promise.race([enter(admission), Promise.resolve('waits')])).toBe('waits');
  });

  test('that is given back twice is free once', async () => {
    const admission = admit(1);
    const place = await placed(admission);
    place.leave(true);
    place.leave(true);
    await placed(admission);
    expect(await Promise.race([enter(admission), Promise.resolve('waits')])).toBe('waits');
  });

  test('is kept for a while for a saga that nobody waits for', async () => {
    const admission = admit(1);
    const place = await placed(admission);
    const next = enter(admission);
    place.leaveLater();
    expect(await Promise.race([next, Promise.resolve('waits')])).toBe('waits');
    await vi.advanceTimersByTimeAsync(1000);
    expect(await next).toMatchObject({ kind: 'admitted' });
  });
});
