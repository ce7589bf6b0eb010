/** Reads refunds. Every read is one round trip. */
import { and, desc, eq } from 'drizzle-orm';
import type { RefundStatus } from '../../domain/payments/refunds.js';
import type { Database } from '../postgres/client.js';
import { behind, type Cursor, type Page, pageOf } from '../postgres/page.js';
import { refunds } from '../schema/index.js';

/** A stored refund. Amounts in minor units. */
export type RefundRow = typeof refunds.$inferSelect;

export async function getRefund(db: Database, id: string): Promise<RefundRow | null> {
  const [row] = await db.select().from(refunds).where(eq(refunds.id, id));
  return row ?? null;
}

export interface RefundQuery {
  readonly orderId?: string | undefined;
  readonly paymentId?: string | undefined;
  readonly status?: RefundStatus | undefined;
  readonly limit: number;
  readonly cursor: Cursor | null;
}

/** Newest first. */
export async function listRefunds(db: Database, query: RefundQuery): Promise<Page<RefundRow>> {
  const rows = await db
    .select()
    .from(refunds)
    .where(
      and(
        query.orderId === undefined ? undefined : eq(refunds.orderId, query.orderId),
        query.paymentId === undefined ? undefined : eq(refunds.paymentId, query.paymentId),
        query.status === undefined ? undefined : eq(refunds.status, query.status),
        behind(refunds.createdAt, refunds.id, query.cursor),
      ),
    )
    .orderBy(desc(refunds.createdAt), desc(refunds.id))
    .limit(query.limit + 1);
  return pageOf('refunds', rows, query.limit, (row) => ({ at: row.createdAt, id: row.id }));
}
