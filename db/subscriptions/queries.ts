/** Reads subscriptions and what they were billed. Every read is one round trip. */
import { and, asc, desc, eq, isNull, lt, ne, sql } from 'drizzle-orm';
import type { SubscriptionStatus } from '../../domain/subscriptions/states.js';
import type { Database } from '../postgres/client.js';
import { behind, type Cursor, type Page, pageOf } from '../postgres/page.js';
import { billingRecords, subscriptions } from '../schema/index.js';

/** A stored subscription. Its cards are tokens: they are never shown. */
export type SubscriptionRow = typeof subscriptions.$inferSelect;
export type BillingRecordRow = typeof billingRecords.$inferSelect;

export async function getSubscription(db: Database, id: string): Promise<SubscriptionRow | null> {
  const [row] = await db.select().from(subscriptions).where(eq(subscriptions.id, id));
  return row ?? null;
}

/** Newest first. */
export async function listSubscriptions(
  db: Database,
  query: {
    customerId?: string | undefined;
    status?: SubscriptionStatus | undefined;
    limit: number;
    cursor: Cursor | null;
  },
): Promise<Page<SubscriptionRow>> {
  const rows = await db
    .select()
    .from(subscriptions)
    .where(
      and(
        query.customerId === undefined ? undefined : eq(subscriptions.customerId, query.customerId),
        query.status === undefined ? undefined : eq(subscriptions.status, query.status),
        behind(subscriptions.createdAt, subscriptions.id, query.cursor),
      ),
    )
    .orderBy(desc(subscriptions.createdAt), desc(subscriptions.id))
    .limit(query.limit + 1);
  return pageOf('subscriptions', rows, query.limit, (row) => ({ at: row.createdAt, id: row.id }));
}

/** Live subscriptions on the real clock that have been due for so long that their workflow may be gone. */
export async function overdueSubscriptions(
  db: Database,
  afterSeconds: number,
  limit: number,
): Promise<readonly SubscriptionRow[]> {
  return await db
    .select()
    .from(subscriptions)
    .where(
      and(
        isNull(subscriptions.testClock),
        lt(subscriptions.nextAt, sql`clock_timestamp() - make_interval(secs => ${afterSeconds})`),
      ),
    )
    .orderBy(asc(subscriptions.nextAt))
    .limit(limit);
}

/** What a subscription was billed, newest first. Leaves out what is being charged for the first time: it is not decided. */
export async function listBillingRecords(
  db: Database,
  query: { subscriptionId: string; limit: number; cursor: Cursor | null },
): Promise<Page<BillingRecordRow>> {
  const rows = await db
    .select()
    .from(billingRecords)
    .where(
      and(
        eq(billingRecords.subscriptionId, query.subscriptionId),
        ne(billingRecords.status, 'open'),
        behind(billingRecords.createdAt, billingRecords.id, query.cursor),
      ),
    )
    .orderBy(desc(billingRecords.createdAt), desc(billingRecords.id))
    .limit(query.limit + 1);
  return pageOf('billing_records', rows, query.limit, (row) => ({ at: row.createdAt, id: row.id }));
}
