/** Limits on what one customer may spend. */
import type { LimitedPayment } from '../../domain/payments/limits.js';
import type { Sql } from '../postgres/client.js';

/**
 * Counts a payment towards its customer's limits, once. Returns null, or after how many seconds there may be room where a
 * limit would be exceeded. The decision of a payment that took no money frees its amount.
 */
export async function takeCustomerLimit(sql: Sql, payment: LimitedPayment): Promise<number | null> {
  const [row] = await sql<{ wait: number | null }[]>`
    select customer_limit_take(${JSON.stringify(payment)}::text::jsonb) as wait`;
  return row?.wait ?? null;
}
