/** Postgres is stopped for 35 s, as by SIGSTOP or a hanging host: no connection breaks, nothing answers, and then it continues. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { ownStack } from '../setup/own-stack.js';
import { type Answer, eventually, holdings } from '../shop.js';

const stoppedMs = 35_000;
/** DATABASE_TIMEOUT_SECONDS is 5. A call may meet a second silent connection, and the machine is slow. */
const readWithinMs = 15_000;

const own = ownStack({
  WORKERS: '2',
});

/** The postmaster with all its sessions, or the postmaster alone: then sessions work, but no new ones start. */
function processes(which: 'all' | 'postmaster'): number[] {
  const { postgres } = own.stack.pids;
  if (postgres === null) throw new Error('Postgres runs elsewhere');
  if (which === 'postmaster') return [postgres];
  const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(postgres)], { encoding: 'utf8' });
  return [postgres, ...children.trim().split(/\s+/).map(Number)];
}

async function whileStopped(which: 'all' | 'postmaster', act: (until: number) => Promise<void>): Promise<void> {
  const pids = processes(which);
  const signal = (name: NodeJS.Signals) => {
    for (const pid of pids)
      try {
        process.kill(pid, name);
      } catch {
        // A session that ended meanwhile.
      }
  };
  const until = performance.now() + stoppedMs;
  signal('SIGSTOP');
  try {
    await act(until);
    await sleep(Math.max(0, until - performance.now()));
  } finally {
    signal('SIGCONT');
  }
}

async function timed(call: Promise<Answer>): Promise<Answer & { readonly ms: number }> {
  const began = performance.now();
  return { ...(await call), ms: performance.now() - began };
}

async function serves(): Promise<void> {
  await eventually('the stack to be ready', async () => {
    const reads = await Promise.all(Array.from({ length: 40 }, () => own.shop.get('/api/orders')));
    return reads.every(({ status }) => status === 200) && (await own.shop.get('/readyz')).status === 200;
  });
}

describe('a stopped Postgres', () => {
  test('holds up no call that long: calls get 503 with Retry-After, and the API stays alive', async () => {
    const sku = await own.shop.product(100);
    await whileStopped('all', async (until) => {
      while (performance.now() < until - readWithinMs) {
        const answers = await Promise.all([
          ...Array.from({ length: 30 }, () => timed(own.shop.get(`/api/inventory/${sku}`))),
          timed(own.shop.get('/api/orders')),
          timed(own.shop.post('/api/reservations', { sku, quantity: 1 })),
          timed(own.shop.post('/api/orders', { lines: [{ sku, quantity: 1 }] }, { prefer: 'wait=1' })),
        ]);
        for (const { status, headers, ms } of answers) {
          expect([status, Number(headers.get('retry-after')) > 0]).toEqual([503, true]);
          expect(ms).toBeLessThan(readWithinMs);
        }
        expect((await timed(own.shop.get('/readyz'))).status).toBe(503);
        const alive = await timed(own.shop.get('/livez'));
        expect(alive.status).toBe(200);
        expect(alive.ms).toBeLessThan(readWithinMs);
      }
    });
    await serves();
    expect(await own.shop.verified()).toEqual({ clean: true, differences: [] });
  });

  test("in the middle of 20 purchases loses nothing and does nothing twice, thanks to the calls' keys", async () => {
    const sku = await own.shop.product(20);
    const keys = Array.from({ length: 20 }, () => randomUUID());
    const buy = (key: string) =>
      own.shop.order(
        { lines: [{ sku, quantity: 1 }], confirm: true, payment: { cardToken: 'tok_slow_400' } },
        { 'idempotency-key': key, prefer: 'wait=1' },
      );
    const first = keys.map(buy);
    await sleep(600);
    await whileStopped('all', async () => {
      await Promise.all(first);
    });
    await serves();
    const ids = await Promise.all(
      keys.map((key) =>
        eventually('a definite answer', async () => {
          const answer = await buy(key);
          return answer.status < 300 && answer.body.id;
        }),
      ),
    );
    expect(new Set(ids).size).toBe(20);
    for (const id of ids) {
      await eventually('the order to be confirmed', async () => (await own.shop.statusOf(id)) === 'confirmed');
      expect(holdings(await own.shop.books(id))).toEqual({ open: 0, net: 1000 });
    }
    expect(await own.shop.stock(sku)).toEqual({ onHand: 0, reserved: 0, available: 0 });
    expect(await own.shop.verified()).toEqual({ clean: true, differences: [] });
  });

  test('with only its postmaster stopped is used over the existing connections', async () => {
    await serves();
    await whileStopped('postmaster', async (until) => {
      while (performance.now() < until) {
        const { status, ms } = await timed(own.shop.get('/api/orders'));
        expect([200, 503]).toContain(status);
        expect(ms).toBeLessThan(readWithinMs);
        await sleep(200);
      }
    });
    await serves();
  });
});
