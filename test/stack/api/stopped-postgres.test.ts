/** An API whose Postgres is stopped, as with SIGSTOP or by a network that drops everything, and continues later. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import Stripe from 'stripe';
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest';
import { Books } from '../../database/books.js';
import { runningUrl } from '../../setup/running-role.js';
import { webhookSecrets } from '../../setup/settings.js';
import { eventually } from '../../shop.js';
import { type Valve, valveBefore } from '../../valve.js';
import { type OwnApi, startOwnApi } from './own-api.js';

let valve: Valve;
let api: OwnApi;
let books: Books;
beforeAll(async () => {
  books = await Books.open();
  valve = await valveBefore(runningUrl(inject('databaseUrl'), inject('home')));
  const [secret] = webhookSecrets;
  api = await startOwnApi({ DATABASE_URL: valve.url, DATABASE_TIMEOUT_SECONDS: '1', STRIPE_WEBHOOK_SECRET: secret });
});
afterEach(() => {
  valve.open();
  valve.release();
});
afterAll(async () => {
  valve.open();
  await api?.end('SIGTERM');
  valve?.close();
  await books?.close();
});

const unavailable = { status: 503, body: { code: 'unavailable' } };

test('reads and writes get 503 with Retry-After, and the process stays alive', async () => {
  const sku = await api.shop.product(1);
  valve.shut();
  const answers = await Promise.all([
    api.shop.get('/api/orders'),
    api.shop.get(`/api/inventory/${sku}`),
    api.shop.get('/api/ledger/verifications'),
    api.shop.post('/api/reservations', { sku, quantity: 1 }),
    api.shop.post('/api/orders', { lines: [{ sku, quantity: 1 }] }, { prefer: 'wait=1' }),
  ]);
  for (const answer of answers) {
    expect(answer).toMatchObject(unavailable);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  }
  expect(await api.shop.get('/readyz')).toMatchObject({ status: 503, body: { notReady: ['postgres'] } });
  expect((await api.shop.get('/livez')).status).toBe(200);
  valve.open();
  await eventually('the API to serve again', async () => (await api.shop.get('/api/orders')).status === 200);
  await eventually('the API to be ready', async () => (await api.shop.get('/readyz')).status === 200);
});

test('a call that was given up can be repeated with its key, and acts once', async () => {
  const sku = await api.shop.product(5);
  const call = (key: string) => api.shop.post('/api/reservations', { sku, quantity: 1 }, { 'idempotency-key': key });
  const keys = Array.from({ length: 5 }, () => randomUUID());
  valve.shut();
  for (const answer of await Promise.all(keys.map(call))) expect(answer).toMatchObject(unavailable);
  // The statements of those calls arrive only now, after the client has its answer.
  valve.open();
  const ids = await Promise.all(
    keys.map((key) =>
      eventually('the call to be answered', async () => {
        const again = await call(key);
        return again.status === 201 && again.body.id;
      }),
    ),
  );
  expect(new Set(ids).size).toBe(5);
  expect(await api.shop.stock(sku)).toMatchObject({ onHand: 5, reserved: 5 });
  const repeated = await Promise.all(keys.map(call));
  expect(repeated.map(({ body }) => body.id)).toEqual(ids);
});

test('a statement that arrives long after its call has ended does not keep the key', async () => {
  const sku = await api.shop.product(1);
  const key = randomUUID();
  const call = () => api.shop.post('/api/reservations', { sku, quantity: 1 }, { 'idempotency-key': key });
  const rows = () => books.sql`select held_by from idempotency_keys where key = ${key}`;
  valve.hold();
  expect(await call()).toMatchObject(unavailable);
  // Over new connections everything works again, and the process has released the keys it knew of.
  await eventually('the API to be ready', async () => (await api.shop.get('/readyz')).status === 200);
  await sleep(3000);
  expect(await rows()).toEqual([]);
  valve.release();
  await eventually('the late statement to have taken the key', async () => (await rows()).length === 1);
  const again = await eventually('the key to be free', async () => {
    const answer = await call();
    return answer.status !== 409 && answer;
  });
  expect(again.status).toBe(201);
  expect((await call()).body).toEqual(again.body);
  expect(await api.shop.stock(sku)).toMatchObject({ reserved: 1 });
});

test('an event of Stripe is acknowledged only once it is stored: until then it gets 503, and is sent again', async () => {
  const { webhooks } = new Stripe('sk_test_unused');
  const id = `evt_${randomUUID()}`;
  const object = { object: 'payment_intent', id: 'pi_stopped', metadata: { installation: 'holdfast' } };
  const payload = JSON.stringify({
    id,
    object: 'event',
    type: 'payment_intent.succeeded',
    created: 1,
    data: { object },
  });
  const send = async () => {
    const header = webhooks.generateTestHeaderString({ payload, secret: webhookSecrets[0] });
    const headers = { 'content-type': 'application/json', 'stripe-signature': header };
    return (await fetch(`${api.url}/webhooks/stripe`, { method: 'POST', headers, body: payload })).status;
  };
  valve.shut();
  expect(await send()).toBe(503);
  valve.open();
  await eventually('the event to be acknowledged', async () => (await send()) === 200);
  expect(await books.sql`select event_id from processor_events where event_id = ${id}`).toHaveLength(1);
});
