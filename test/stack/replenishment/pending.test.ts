import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Stack, startStack } from '../../setup/stack.js';
import { eventually, Shop } from '../../shop.js';
import { Supply } from './supply.js';

let stack: Stack;
let shop: Shop;
let supply: Supply;
beforeAll(async () => {
  stack = await startStack({
    RETRY_BASE_SCALE: '0.001',
    GATEWAY_TIMEOUT_SECONDS: '1',
    DELIVERY_CHECK_SECONDS: '0.3',
    RATE_LIMIT_PER_MINUTE: '1000000',
  });
  shop = new Shop(stack);
  supply = new Supply(shop, stack.sandboxUrl);
});
afterAll(() => stack?.stop());

const read = (id: string) => shop.get(`/api/replenishments/${id}`);
const ask = (sku: string, more: Record<string, string> = {}) =>
  shop.must(202, shop.post('/api/replenishments', { sku }, { prefer: 'respond-async', ...more }));

/** Does something while all workers are stopped. */
async function withoutWorkers<T>(work: () => Promise<T>): Promise<T> {
  const { workers } = stack.pids;
  for (const pid of workers) process.kill(pid, 'SIGSTOP');
  try {
    return await work();
  } finally {
    for (const pid of workers) process.kill(pid, 'SIGCONT');
  }
}

describe('a replenishment that no worker has planned yet', () => {
  test('reads as it was answered, never as unknown, and later as it was planned', async () => {
    const sku = await supply.product({ stock: 4, maxStock: 20 });
    const { id, createdAt } = await withoutWorkers(async () => {
      const { body } = await ask(sku, { 'idempotency-key': sku });
      const undecided = { quantity: null, purchaseOrderId: null, failure: null };
      expect(body).toMatchObject({ sku, location: 'main', status: 'running', ...undecided });
      expect(await read(body.id)).toMatchObject({ status: 200, body });
      expect((await ask(sku, { 'idempotency-key': sku })).body).toEqual(body);
      return body;
    });
    expect(await supply.ended(id)).toMatchObject({ id, sku, status: 'completed', quantity: 16, createdAt });
  });

  test('turns out to be one that was requested earlier', async () => {
    const sku = await supply.product({ stock: 4, maxStock: 20 }, { delivery: ['ordered', 'shipped', 'delivered'] });
    const [first, second] = await withoutWorkers(async () => {
      const ids = [(await ask(sku)).body.id, (await ask(sku)).body.id];
      expect(ids[0]).not.toBe(ids[1]);
      for (const id of ids) expect(await read(id)).toMatchObject({ status: 200, body: { id, status: 'running' } });
      return ids;
    });
    expect(await supply.ended(first)).toMatchObject({ id: first, quantity: 16 });
    expect(await read(second)).toMatchObject({ status: 200, body: { id: first, status: 'completed', quantity: 16 } });
    expect(await supply.replenishments(sku)).toHaveLength(1);
  });

  test('is not reported as unknown while Temporal is down', async () => {
    const sku = await supply.product({ stock: 4, maxStock: 20 });
    const { temporal } = stack.pids;
    if (temporal === null) throw new Error('the stack has no Temporal server of its own');
    const id = await withoutWorkers(async () => {
      const { body } = await ask(sku);
      process.kill(temporal, 'SIGSTOP');
      try {
        expect(await read(body.id)).toMatchObject({ status: 503, body: { code: 'unavailable' } });
      } finally {
        process.kill(temporal, 'SIGCONT');
      }
      expect((await read(body.id)).body).toEqual(body);
      return body.id;
    });
    expect(await supply.ended(id)).toMatchObject({ id, status: 'completed' });
  });

  test('no longer exists if it is refused in the end', async () => {
    const sku = await supply.product({ stock: 4, maxStock: 20 });
    const id = await withoutWorkers(async () => {
      const { body } = await ask(sku);
      await shop.must(201, shop.post(`/api/inventory/${sku}/receipts`, { quantity: 16 }));
      expect((await read(body.id)).status).toBe(200);
      return body.id;
    });
    await eventually('the refusal', async () => (await read(id)).status === 404);
    expect((await shop.post('/api/replenishments', { sku })).body).toMatchObject({ code: 'nothing_to_order' });
    expect(await read(id)).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });
});

test('a replenishment that was never requested is unknown', async () => {
  expect(await read(`rpl_${'0'.repeat(32)}`)).toMatchObject({ status: 404, body: { code: 'not_found' } });
});
