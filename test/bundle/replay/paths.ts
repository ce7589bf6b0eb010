/** Every path that a saga can take, each as a walk through the API: recorded once, replayed for ever. */
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { chunkWaits, lockHolds, longHistories, passOneChunk } from '../../long-ledger.js';
import { eventually, type Shop } from '../../shop.js';
import { limitPaths } from './limit-paths.js';
import type { Path } from './path.js';
import { processorPaths } from './processor-paths.js';
import { reconciliationPaths } from './reconciliation-paths.js';
import { refundPaths } from './refund-paths.js';
import { replenishmentPaths } from './replenishment-paths.js';
import { subscriptionPaths } from './subscription-paths.js';
import { transferPaths } from './transfer-paths.js';

async function order(shop: Shop, request: Parameters<Shop['order']>[0] = {}, stock = 5): Promise<string> {
  const sku = await shop.product(stock);
  const { body } = await shop.order({
    lines: [{ sku, quantity: 2 }],
    customer: { id: 'cus_replay', email: 'replay@example.com' },
    ...request,
  });
  return body.id ?? body.orderId;
}

async function until(shop: Shop, id: string, ...statuses: string[]): Promise<string> {
  await eventually(`${id} to be ${statuses.join(' or ')}`, async () => statuses.includes(await shop.statusOf(id)));
  return `order/${id}`;
}

const bought = (cardToken: string, backupCardToken?: string) => async (shop: Shop) => {
  const payment = { cardToken, ...(backupCardToken !== undefined && { backupCardToken }) };
  return until(shop, await order(shop, { confirm: true, payment }), 'confirmed');
};

/** A refused payment leaves the order reserved. Cancels it, so that the history ends. */
const refused = (cardToken: string) => async (shop: Shop) => {
  const id = await order(shop, { confirm: true, payment: { cardToken } });
  await until(shop, id, 'reserved');
  await shop.cancel(id);
  return until(shop, id, 'cancelled');
};

const paid = (cardToken: string, backupCardToken?: string) => async (shop: Shop) => {
  const { body } = await shop.post(
    '/api/payments',
    { amount: 900, currency: 'GBP', cardToken, ...(backupCardToken !== undefined && { backupCardToken }) },
    { prefer: 'wait=30' },
  );
  const id = body.id ?? body.paymentId;
  await eventually(
    'the payment to be decided',
    async () => (await shop.get(`/api/payments/${id}`)).body.status !== 'pending',
  );
  return `payment/${id}`;
};

/** Runs an order of 5 with 2 in stock and a scripted supplier to its end. */
const lacking =
  (script: object, end: string, request: Parameters<Shop['order']>[0] = {}) =>
  async (shop: Shop): Promise<string> =>
    until(shop, await lack(shop, script, request), end);

async function lack(shop: Shop, script: object, request: Parameters<Shop['order']>[0] = {}): Promise<string> {
  const sku = await shop.supplied(2, script);
  const { body } = await shop.order({ lines: [{ sku, quantity: 5 }], ...request });
  return body.id ?? body.orderId;
}

const bySupplier = { confirm: true, payment: { cardToken: 'tok_visa' } };

export const paths: readonly Path[] = [
  { name: 'order-bought-in-one-call', walk: bought('tok_visa') },
  {
    name: 'order-reserved-then-confirmed',
    walk: async (shop) => {
      const id = await order(shop);
      await shop.confirm(id, 'tok_visa');
      return until(shop, id, 'confirmed');
    },
  },
  {
    name: 'order-paid-elsewhere',
    walk: async (shop) =>
      until(shop, await order(shop, { confirm: true, payment: { method: 'external' } }), 'confirmed'),
  },
  { name: 'order-authorization-lost', walk: bought('tok_auth_lost_1') },
  { name: 'order-authorization-timed-out', walk: bought('tok_auth_timeout_1') },
  { name: 'order-capture-lost', walk: bought('tok_capture_lost_1') },
  { name: 'order-processor-flaky', walk: bought('tok_flaky_1') },
  { name: 'order-paid-by-backup', walk: bought('tok_declined', 'tok_visa') },
  { name: 'order-backup-after-undone-primary', walk: bought('tok_auth_timeout_5', 'tok_visa') },
  { name: 'order-declined-then-cancelled', walk: refused('tok_declined') },
  { name: 'order-fraud-then-cancelled', walk: refused('tok_fraud') },
  { name: 'order-capture-declined-and-compensated', walk: refused('tok_capture_declined') },
  { name: 'order-capture-down-and-compensated', walk: refused('tok_capture_down') },
  {
    name: 'order-failed-at-third-refusal',
    walk: async (shop) => {
      const id = await order(shop, { confirm: true, payment: { cardToken: 'tok_declined' } });
      await shop.confirm(id, 'tok_declined');
      await shop.confirm(id, 'tok_insufficient_funds');
      return until(shop, id, 'failed');
    },
  },
  { name: 'order-out-of-stock', walk: async (shop) => until(shop, await order(shop, {}, 1), 'failed') },
  {
    name: 'order-draft-lines-cancelled',
    walk: async (shop) => {
      const sku = await shop.product(3);
      const id = await order(shop, { lines: [] });
      await shop.post(`/api/orders/${id}/lines`, { sku, quantity: 1 });
      await shop.post(`/api/orders/${id}/lines`, { sku, quantity: 9 });
      await shop.cancel(id);
      return until(shop, id, 'cancelled');
    },
  },
  {
    name: 'order-second-line-cancelled',
    walk: async (shop) => {
      const [sku, other] = [await shop.product(3), await shop.product(3)];
      const id = await order(shop, { lines: [] });
      await shop.post(`/api/orders/${id}/lines`, { sku, quantity: 1 });
      await shop.post(`/api/orders/${id}/lines`, { sku: other, quantity: 1 });
      await shop.cancel(id);
      return until(shop, id, 'cancelled');
    },
  },
  { name: 'order-expired', walk: async (shop) => until(shop, await order(shop), 'expired') },
  { name: 'order-draft-expired', walk: async (shop) => until(shop, await order(shop, { lines: [] }), 'expired') },
  {
    name: 'order-cancelled-while-authorizing',
    walk: async (shop) => {
      const id = await order(shop);
      const confirming = shop.confirm(id, 'tok_slow_1200');
      await until(shop, id, 'confirming');
      await shop.cancel(id);
      await confirming;
      return until(shop, id, 'cancelled');
    },
  },
  {
    name: 'order-card-given-up-by-a-lost-task',
    walk: async (shop, { databaseUrl }) => {
      const sql = postgres(databaseUrl, { max: 1 });
      try {
        const id = await order(shop);
        const confirming = shop.confirm(id, 'tok_slow_700');
        await until(shop, id, 'confirming');
        await sql`update payments set abandoned = '{primary}' where order_id = ${id}`;
        await confirming;
        await until(shop, id, 'reserved');
        await shop.cancel(id);
        return await until(shop, id, 'cancelled');
      } finally {
        await sql.end();
      }
    },
  },
  {
    name: 'order-signals-good-and-bad',
    walk: async (shop, outside) => {
      const id = await order(shop);
      await outside.signal(`order/${id}`, 'confirm', 'nonsense');
      await outside.signal(`order/${id}`, 'confirm', { payment: { cardToken: 'tok_visa' } });
      return until(shop, id, 'confirmed');
    },
  },
  { name: 'order-restocked-and-bought', walk: lacking({}, 'confirmed', bySupplier) },
  { name: 'order-restocked-then-expired', walk: lacking({ status: ['delayed', 'ok'] }, 'expired') },
  { name: 'order-restocked-answer-lost', walk: lacking({ reserve: 'lost' }, 'confirmed', bySupplier) },
  { name: 'order-supplier-refused', walk: lacking({ reserve: { accepted: false } }, 'failed') },
  { name: 'order-supplier-unanswered', walk: lacking({ reserve: 'timeout' }, 'failed') },
  { name: 'order-supplier-failed', walk: lacking({ status: ['fail'] }, 'failed') },
  { name: 'order-supplier-delayed', walk: lacking({ status: ['delayed'] }, 'failed') },
  { name: 'order-supplier-malformed', walk: lacking({ status: ['malformed'] }, 'failed') },
  {
    name: 'order-restocked-in-two-lines',
    walk: async (shop) => {
      const [sku, other] = [await shop.supplied(1), await shop.supplied(0, { status: ['delayed', 'ok'] })];
      const lines = [sku, other].map((each) => ({ sku: each, quantity: 2 }));
      return until(shop, await lack(shop, {}, { ...bySupplier, lines }), 'confirmed');
    },
  },
  {
    name: 'order-cancelled-while-awaiting-restock',
    walk: async (shop) => {
      const id = await lack(shop, { status: ['delayed'] });
      await shop.cancel(id);
      return until(shop, id, 'cancelled');
    },
  },
  {
    name: 'order-cancelled-while-supplier-unanswered',
    walk: async (shop) => {
      const sku = await shop.supplied(0, { reserve: 'timeout' });
      const opening = shop.order({ lines: [{ sku, quantity: 1 }], customer: { id: sku } });
      const id = await eventually('the order', async () => {
        const { body } = await shop.get(`/api/orders?customerId=${sku}&status=awaiting_restock`);
        return body.items[0]?.id as string | undefined;
      });
      await shop.cancel(id);
      await opening;
      return until(shop, id, 'cancelled');
    },
  },
  {
    name: 'order-supplier-cancellation-in-review',
    walk: async (shop) => {
      const sku = await shop.supplied(0, { status: ['delayed'], cancel: 'error' });
      const { body } = await shop.order({ lines: [{ sku, quantity: 1 }] });
      await shop.post(`/api/orders/${body.id}/cancel`, { reason: 'late' }, { prefer: 'wait=1' });
      await eventually('the review', async () => {
        const reviews = (await shop.get('/api/reviews?status=open')).body.items;
        return reviews.some(({ subject }: { subject: string }) => subject === `order/${body.id}`);
      });
      await shop.script(sku, {});
      return until(shop, body.id, 'cancelled');
    },
  },
  { name: 'payment-captured', walk: paid('tok_visa') },
  { name: 'payment-declined', walk: paid('tok_declined') },
  { name: 'payment-compensated', walk: paid('tok_capture_down') },
  { name: 'payment-by-backup', walk: paid('tok_insufficient_funds', 'tok_visa') },
  {
    name: 'verification-completed',
    walk: async (shop) => {
      const { body } = await shop.must(201, shop.post('/api/ledger/verifications', {}, { prefer: 'wait=30' }));
      return `verification/${body.id}`;
    },
  },
  {
    name: 'verification-cancelled',
    walk: async (shop, { cancel, databaseUrl }) => {
      const sql = postgres(databaseUrl, { max: 5, onnotice: () => undefined });
      try {
        await longHistories(sql, ['0-LONG-A', '0-LONG-B', '0-LONG-C']);
        const letGo = await lockHolds(sql);
        const { body } = await shop.must(202, shop.post('/api/ledger/verifications', {}, { prefer: 'respond-async' }));
        await chunkWaits(sql);
        await cancel(`verification/${body.id}`);
        // The worker hears of it when the first chunk is done, and stops after the second.
        const letRestGo = await passOneChunk(sql, letGo);
        await sleep(1000);
        await letRestGo();
        await eventually('the verification to be cancelled', async () => {
          const found = await shop.must(200, shop.get(`/api/ledger/verifications/${body.id}`));
          return found.body.status === 'cancelled';
        });
        return `verification/${body.id}`;
      } finally {
        await sql.end();
      }
    },
  },
  ...reconciliationPaths,
  ...refundPaths,
  ...processorPaths,
  ...subscriptionPaths,
  ...limitPaths,
  ...transferPaths,
  ...replenishmentPaths,
];
