import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Breaker, createBreaker } from './breaker.js';
import { GatewayFault } from './fault.js';

const never = () => new AbortController().signal;
const failing = (fault: GatewayFault['fault']) => async () => {
  throw new GatewayFault('test', fault, 'scripted');
};

/** A call that cannot wait: an open breaker rejects it. */
function atOnce(breaker: Breaker): Promise<string> {
  const retryBudget = new AbortController();
  const call = breaker.run(async () => 'through', retryBudget.signal);
  retryBudget.abort();
  return call;
}

async function opened() {
  const breaker = createBreaker('test');
  for (let n = 0; n < 5; n++) await expect(breaker.run(failing('unreachable'), never())).rejects.toThrow('scripted');
  return breaker;
}

describe('a circuit breaker', () => {
  it('makes calls wait while the server is unreachable, and lets them through when it is back', async () => {
    const started = performance.now();
    const breaker = await opened();
    let down = true;
    const calls = Array.from({ length: 20 }, (_, n) =>
      breaker.run(async () => {
        if (down) throw new GatewayFault('test', 'unreachable', 'still down');
        return n;
      }, never()),
    );
    const settled = Promise.allSettled(calls);
    await sleep(200);
    down = false;
    expect((await settled).map((result) => result.status === 'fulfilled' && result.value)).toEqual(
      Array.from({ length: 20 }, (_, n) => n),
    );
    expect(performance.now() - started).toBeGreaterThan(400);
  });

  it('lets one call at a time probe', async () => {
    const breaker = await opened();
    let atOnce = 0;
    let most = 0;
    const calls = Array.from({ length: 10 }, () =>
      breaker.run(async () => {
        most = Math.max(most, ++atOnce);
        await sleep(50);
        atOnce--;
        throw new GatewayFault('test', 'unreachable', 'still down');
      }, AbortSignal.timeout(900)),
    );
    expect((await Promise.allSettled(calls)).every(({ status }) => status === 'rejected')).toBe(true);
    expect(most).toBe(1);
  });

  it('ends the wait as unreachable when the signal aborts', async () => {
    const breaker = await opened();
    const retryBudget = new AbortController();
    let made = 0;
    const call = breaker.run(async () => ++made, retryBudget.signal);
    retryBudget.abort();
    await expect(call).rejects.toMatchObject({ name: 'GatewayFault', fault: 'unreachable' });
    expect(made).toBe(0);
  });

  it.each(['server_error', 'no_answer'] as const)('stays closed however many calls end with %s', async (fault) => {
    const breaker = createBreaker('test');
    for (let n = 0; n < 20; n++) await expect(breaker.run(failing(fault), never())).rejects.toThrow('scripted');
    expect(await atOnce(breaker)).toBe('through');
  });

  it('stays closed if a call gets through in between', async () => {
    const breaker = createBreaker('test');
    for (let n = 0; n < 12; n++) {
      if (n % 4 === 0) await breaker.run(async () => 'through', never());
      await expect(breaker.run(failing('unreachable'), never())).rejects.toThrow('scripted');
    }
    expect(await atOnce(breaker)).toBe('through');
  });
});
