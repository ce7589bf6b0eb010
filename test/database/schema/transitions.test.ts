import { sql as raw } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Connection, connect } from '../../../db/postgres/client.js';
import { orderTransitions } from '../../../domain/orders/states.js';
import { paymentTransitions } from '../../../domain/payments/states.js';
import { productStatuses } from '../../../domain/products.js';
import { purchaseOrderStatuses, replenishmentStatuses } from '../../../domain/replenishment.js';
import { reviewStatuses } from '../../../domain/reviews.js';
import { ledgerKinds, reservationStatuses } from '../../../domain/stock.js';
import {
  billingKinds,
  billingStatuses,
  planIntervals,
  subscriptionStatuses,
  subscriptionTransitions,
} from '../../../domain/subscriptions/states.js';
import { transferModes, transferStatuses, transferTransitions } from '../../../domain/transfers/states.js';

let connection: Connection;
beforeAll(() => {
  connection = connect(process.env.HOLDFAST_TEST_DATABASE_URL ?? '', { applicationName: 'test', maxConnections: 1 });
});
afterAll(() => connection.close());

const ways = (table: Readonly<Record<string, readonly string[]>>) =>
  Object.entries(table)
    .flatMap(([from, tos]) => tos.map((to) => `${from} → ${to}`))
    .sort();

describe.each([
  ['orders', 'order_transitions', orderTransitions],
  ['payments', 'payment_transitions', paymentTransitions],
  ['subscriptions', 'subscription_transitions', subscriptionTransitions],
  ['transfers', 'transfer_transitions', transferTransitions],
] as const)('the states of %s', (_subject, table, expected) => {
  test('have the same transitions in the database as in the rules', async () => {
    const rows = await connection.db.execute<{ way: string }>(
      raw`select from_status || ' → ' || to_status as way from ${raw.identifier(table)}`,
    );
    expect(rows.map(({ way }) => way).sort()).toEqual(ways(expected));
  });
});

test.each([
  ['manual_reviews_status', reviewStatuses],
  ['products_status', productStatuses],
  ['purchase_orders_status', purchaseOrderStatuses],
  ['replenishments_status', replenishmentStatuses],
  ['reservations_status', reservationStatuses],
  ['billing_records_kind', billingKinds],
  ['billing_records_status', billingStatuses],
  ['stock_ledger_kind', ledgerKinds],
  ['subscriptions_interval', planIntervals],
  ['subscriptions_status', subscriptionStatuses],
  ['transfers_mode', transferModes],
  ['transfers_status', transferStatuses],
] as const)('the check %s allows exactly the values in the rules', async (name, expected) => {
  const [check] = await connection.sql<{ definition: string }[]>`
    select pg_get_constraintdef(oid) as definition from pg_constraint where conname = ${name}`;
  const allowed = [...(check?.definition ?? '').matchAll(/'(\w+)'::text/g)].map(([, value]) => value);
  expect(allowed.sort()).toEqual([...expected].sort());
});

describe('a payment', () => {
  test('cannot make an unknown transition, even by a direct write', async () => {
    const id = `pay_t${Date.now()}`;
    await connection.sql`insert into payments (id, status, amount, currency) values (${id}, 'declined', 1, 'USD')`;
    await expect(connection.sql`update payments set status = 'captured' where id = ${id}`).rejects.toThrow(
      'cannot go from declined to captured',
    );
  });
});
