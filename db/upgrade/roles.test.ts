/** Rights that processes of the release before use, which run on while a database is upgraded. */
import { expect, test } from 'vitest';
import { definerFunctions, directWrites } from './roles.js';

/**
 * A right that is new in a release is added here with it. One that no process of this release uses any more stays in
 * roles.ts for this release, and goes from both in the next.
 */
const rights: Readonly<Record<string, string>> = {
  api_keys: 'insert, update',
  api_processes: 'insert, update, delete',
  discrepancies: 'insert, update',
  idempotency_keys: 'insert, update, delete',
  ledger_verifications: 'insert, update',
  locations: 'insert, update',
  low_levels: 'insert, update, delete',
  manual_reviews: 'insert, update',
  outbox: 'insert, update',
  processor_events: 'insert',
  processor_marks: 'insert, update',
  products: 'insert, update',
  purchase_orders: 'insert, update',
  reconciliation_entries: 'insert, update, delete',
  reconciliations: 'update',
  replenishment_requests: 'insert',
  replenishments: 'insert, update',
  suppliers: 'insert, update',
  test_clocks: 'insert, update',
};

test('no right is dropped in the release that stops using it', () => {
  expect(Object.fromEntries(Object.entries(directWrites).map(([table, of]) => [table, of.join(', ')]))).toEqual(rights);
});

test('no definer function is dropped in the release that stops calling it', () => {
  expect([...definerFunctions]).toEqual([
    'stock_apply(jsonb)',
    'stock_apply_announced(jsonb)',
    'order_apply(jsonb)',
    'order_edit(text, jsonb, jsonb)',
    'transfer_apply(jsonb)',
    'refund_apply(jsonb)',
    'purchase_order_deliver(text, text)',
    'payment_record(jsonb, jsonb)',
    'payment_abandon(jsonb, text)',
    'provider_remember(text, text, text, text)',
    'payments_adopt(jsonb)',
    'subscription_apply(jsonb)',
    'audit(text, text, text, text, text, jsonb)',
    'secret_of(text, text)',
    'fraud_rules_replace(jsonb, text, text)',
    'fraud_attempt(jsonb)',
    'reconciliation_begin(jsonb)',
    'customer_limit_take(jsonb)',
    'old_records_delete(integer)',
  ]);
});
