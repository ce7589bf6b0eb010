import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import { eventually } from '../../shop.js';
import { database } from './database.js';
import { startOwnApi } from './own-api.js';
import { post } from './raw.js';

const shop = sharedShop();
const other = sharedShop(1);
const sql = database();
afterAll(() => sql.end());

const keyed = (key: string) => ({ 'idempotency-key': key });

describe('a repetition of the same key, path and body', () => {
  test('gets exactly the same answer, and nothing is done twice', async () => {
    const sku = await shop.product(0);
    const headers = keyed(randomUUID());
    const first = await post(`/api/inventory/${sku}/receipts`, { quantity: 7, reference: 'a' }, { headers });
    expect(first.status).toBe(201);
    expect(first.headers.has('idempotency-replayed')).toBe(false);
    for (const body of [
      { quantity: 7, reference: 'a' },
      { reference: 'a', quantity: 7 },
    ]) {
      const again = await post(`/api/inventory/${sku}/receipts`, body, { headers });
      expect([again.status, again.text]).toEqual([201, first.text]);
      expect(again.headers.get('idempotency-replayed')).toBe('true');
    }
    expect((await shop.stock(sku)).onHand).toBe(7);
  });

  test('gets it even if the path is written with escapes', async () => {
    const sku = await shop.product(0);
    const headers = keyed(randomUUID());
    const first = await post(`/api/inventory/${sku}/receipts`, { quantity: 7 }, { headers });
    const escaped = `/%61pi/inventory/${sku.replaceAll('-', '%2D')}/receipts`;
    const again = await post(escaped, { quantity: 7 }, { headers });
    expect([again.status, again.text]).toEqual([201, first.text]);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect((await shop.stock(sku)).onHand).toBe(7);
  });

  test('50 times at once through two API processes acts once', async () => {
    const sku = await shop.product(0);
    const headers = keyed(randomUUID());
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        (index % 2 ? shop : other).post(`/api/inventory/${sku}/receipts`, { quantity: 3 }, headers),
      ),
    );
    const made = answers.filter(({ status }) => status === 201);
    const refused = answers.filter(({ status, body }) => status === 409 && body.code === 'request_in_progress');
    expect([made.length > 0, made.length + refused.length]).toEqual([true, 50]);
    expect(new Set(made.map(({ body }) => body.id)).size).toBe(1);
    expect((await shop.stock(sku)).onHand).toBe(3);
  });

  test('gets the same refusal, even if the call would succeed by now', async () => {
    const sku = await shop.product(1);
    const headers = keyed(randomUUID());
    const wanted = { sku, quantity: 2 };
    expect((await shop.post('/api/reservations', wanted, headers)).body.code).toBe('insufficient_stock');
    await shop.must(201, shop.post(`/api/inventory/${sku}/receipts`, { quantity: 5 }));
    const again = await shop.post('/api/reservations', wanted, headers);
    expect([again.status, again.body.code, again.headers.get('idempotency-replayed')]).toEqual([
      409,
      'insufficient_stock',
      'true',
    ]);
  });
});

describe('a key', () => {
  test('belongs to one path and one body', async () => {
    const sku = await shop.product(0);
    const headers = keyed(randomUUID());
    await shop.must(201, shop.post(`/api/inventory/${sku}/receipts`, { quantity: 1 }, headers));
    for (const refused of [
      await shop.post(`/api/inventory/${sku}/receipts`, { quantity: 2 }, headers),
      await shop.post(`/api/inventory/${await shop.product(0)}/receipts`, { quantity: 1 }, headers),
    ])
      expect([refused.status, refused.body.code]).toEqual([422, 'idempotency_key_reused']);
    expect((await shop.stock(sku)).onHand).toBe(1);
  });

  test('belongs to one API key', async () => {
    const { body } = await shop.must(201, shop.post('/api/keys', { name: 'x', scopes: ['inventory:write'] }));
    const sku = await shop.product(0);
    const headers = keyed(randomUUID());
    await post(`/api/inventory/${sku}/receipts`, { quantity: 1 }, { headers });
    const foreign = await post(`/api/inventory/${sku}/receipts`, { quantity: 1 }, { headers, key: body.key });
    expect([foreign.status, foreign.headers.has('idempotency-replayed')]).toEqual([201, false]);
    expect((await shop.stock(sku)).onHand).toBe(2);
  });

  test('is not used up by an invalid request', async () => {
    const sku = await shop.product(0);
    const headers = keyed(randomUUID());
    const wrong = await shop.post(`/api/inventory/${sku}/receipts`, { quantity: 0 }, headers);
    expect(wrong.body.code).toBe('validation_failed');
    const nowhere = await shop.post(`/api/inventory/${sku}/receipts`, { quantity: 1, location: 'no' }, headers);
    expect(nowhere.body.code).toBe('unknown_location');
    const right = await shop.post(`/api/inventory/${sku}/receipts`, { quantity: 1 }, headers);
    expect([right.status, right.headers.has('idempotency-replayed')]).toEqual([201, false]);
  });

  test('is 1 to 255 visible ASCII characters', async () => {
    const sku = await shop.product(0);
    for (const key of ['', 'a b', 'é', 'x'.repeat(256)]) {
      const refused = await post(`/api/inventory/${sku}/receipts`, { quantity: 1 }, { headers: keyed(key) });
      expect([key, refused.status, refused.body.code]).toEqual([key, 422, 'validation_failed']);
    }
    const longest = `${randomUUID()}${'~'.repeat(219)}`;
    expect((await shop.post(`/api/inventory/${sku}/receipts`, { quantity: 1 }, keyed(longest))).status).toBe(201);
  });
});

describe('when the API process is killed in the middle of a call', () => {
  test('the next call takes it over and acts once; until then it is in progress', async () => {
    const sku = await shop.product(1);
    const key = randomUUID();
    const api = await startOwnApi();
    const ask = (through: typeof shop) => through.post(`/api/inventory/${sku}/receipts`, { quantity: 10 }, keyed(key));
    const lock = await lockStock(sku);
    const lost = ask(api.shop).catch(() => 'lost');
    await heldBy(key);
    await lock.wanted();
    expect(await api.end('SIGKILL')).toBeNull();
    expect(await lost).toBe('lost');
    const early = await ask(shop);
    expect([early.status, early.body.code, early.headers.get('retry-after')]).toEqual([
      409,
      'request_in_progress',
      '1',
    ]);
    // Postgres still runs the statement that the dead process sent.
    await lock.release();
    const answered = await eventually('the call to be taken over', async () => {
      const answer = await ask(other);
      return answer.status === 201 && answer;
    });
    expect(answered.body).toMatchObject({ onHandDelta: 10, onHandAfter: 11 });
    expect((await shop.stock(sku)).onHand).toBe(11);
    const again = await ask(shop);
    expect([again.body, again.headers.get('idempotency-replayed')]).toEqual([answered.body, 'true']);
  });

  test('the next call answers with the order that it had begun', async () => {
    const sku = await shop.product(5);
    const key = randomUUID();
    const api = await startOwnApi();
    const customer = { id: `cus-${randomUUID().slice(0, 8)}` };
    const ask = (through: typeof shop) => through.order({ lines: [{ sku, quantity: 2 }], customer }, keyed(key));
    const lock = await lockStock(sku);
    const lost = ask(api.shop).catch(() => 'lost');
    const holder = await heldBy(key);
    await lock.wanted();
    await api.end('SIGKILL');
    await lost;
    // As if it had given no sign of life for longer than its lease lasts.
    await sql`update api_processes set alive_until = clock_timestamp() where id = ${holder}`;
    // Later changes of the catalogue do not undo it.
    await shop.must(200, shop.call('PATCH', `/api/products/${sku}`, { status: 'archived' }));
    await lock.release();
    const answered = await eventually('the call to be taken over', async () => {
      const answer = await ask(shop);
      return answer.status !== 409 && answer;
    });
    expect([answered.status, answered.body.status ?? answered.body]).toEqual([201, 'reserved']);
    const { body } = await shop.get(`/api/orders?customerId=${customer.id}`);
    expect(body.items.map((item: { id: string }) => item.id)).toEqual([answered.body.id]);
    expect(await shop.stock(sku)).toEqual({ onHand: 5, reserved: 2, available: 3 });
  });

  test('one that a signal stops answers the calls it has begun and leaves no lease behind', async () => {
    const sku = await shop.product(1);
    const key = randomUUID();
    const api = await startOwnApi();
    const lock = await lockStock(sku);
    const asked = api.shop.post(`/api/inventory/${sku}/receipts`, { quantity: 1 }, keyed(key));
    const holder = await heldBy(key);
    await lock.wanted();
    const ended = api.end('SIGTERM');
    await eventually('it to accept nothing new', async () =>
      fetch(`${api.url}/livez`).then(
        () => false,
        () => true,
      ),
    );
    await lock.release();
    expect((await asked).status).toBe(201);
    expect(await ended).toBe(0);
    expect(await sql`select 1 from api_processes where id = ${holder}`).toHaveLength(0);
    expect(await sql`select 1 from idempotency_keys where held_by = ${holder}`).toHaveLength(0);
  });
});

interface StockLock {
  /** Resolves when another session waits for this lock. */
  wanted(): Promise<void>;
  release(): Promise<void>;
}

/** Locks a product's stock, so that every change of it waits. */
async function lockStock(sku: string): Promise<StockLock> {
  const session = await sql.reserve();
  await session`begin`;
  const [holder] = await session<{ pid: number }[]>`
    select pg_backend_pid() as pid from stock_levels where sku = ${sku} for update`;
  return {
    wanted: async () => {
      await eventually('a statement to wait for the stock', async () => {
        const waiting =
          await sql`select 1 from pg_stat_activity where ${holder?.pid ?? 0} = any(pg_blocking_pids(pid))`;
        return waiting.length > 0;
      });
    },
    release: async () => {
      await session`rollback`;
      session.release();
    },
  };
}

/** Returns the API process that holds the key. */
async function heldBy(key: string): Promise<string> {
  return eventually('the key to be held', async () => {
    const [row] = await sql<{ holder: string | null }[]>`
      select held_by as holder from idempotency_keys where key = ${key}`;
    return row?.holder ?? false;
  });
}
