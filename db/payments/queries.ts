/** Reads payments, and records those without an order. */
import { and, desc, eq } from 'drizzle-orm';
import type { MailRequest, PaymentRecord, PaymentStanding } from '../../domain/orders/steps.js';
import type { CardSlot } from '../../domain/payments/states.js';
import type { Database, Sql } from '../postgres/client.js';
import { behind, type Cursor, type Page, pageOf } from '../postgres/page.js';
import { payments } from '../schema/index.js';
import { type DisputeRow, disputesOfPayment } from './disputes.js';
import { rulesOfPayment } from './fraud.js';

/** A stored payment with its disputes and the fraud rules that fired. Amounts in minor units. */
export type PaymentRow = typeof payments.$inferSelect & {
  readonly disputes: readonly DisputeRow[];
  /** The names of the fraud rules that fired for its last card that was scored. */
  readonly fraudRules: readonly string[];
};

const select = (db: Database) =>
  db.select({ payment: payments, disputes: disputesOfPayment, fraudRules: rulesOfPayment }).from(payments);
const together = ({ payment, disputes, fraudRules }: Awaited<ReturnType<typeof select>>[number]): PaymentRow => ({
  ...payment,
  disputes,
  fraudRules,
});

export async function getPayment(db: Database, id: string): Promise<PaymentRow | null> {
  const [row] = await select(db).where(eq(payments.id, id));
  return row ? together(row) : null;
}

export async function listPayments(
  db: Database,
  query: { customerId?: string | undefined; limit: number; cursor: Cursor | null },
): Promise<Page<PaymentRow>> {
  const rows = await select(db)
    .where(
      and(
        query.customerId === undefined ? undefined : eq(payments.customerId, query.customerId),
        behind(payments.createdAt, payments.id, query.cursor),
      ),
    )
    .orderBy(desc(payments.createdAt), desc(payments.id))
    .limit(query.limit + 1);
  return pageOf('payments', rows.map(together), query.limit, (row) => ({ at: row.createdAt, id: row.id }));
}

/**
 * Records a payment without an order and queues its mails, in one transaction. A repetition changes nothing. Returns the
 * payment's standing.
 */
export async function recordPayment(
  sql: Sql,
  payment: PaymentRecord,
  mails: readonly MailRequest[],
): Promise<PaymentStanding> {
  const [row] = await sql<{ standing: PaymentStanding }[]>`
    select payment_record(${JSON.stringify(payment)}::text::jsonb, ${JSON.stringify(mails)}::text::jsonb) as standing`;
  return standingOf(row);
}

/** Gives up a card of a payment without an order: it can settle nothing from now on. Returns the payment's standing. */
export async function abandonPayment(sql: Sql, payment: PaymentRecord, card: CardSlot): Promise<PaymentStanding> {
  const [row] = await sql<{ standing: PaymentStanding }[]>`
    select payment_abandon(${JSON.stringify(payment)}::text::jsonb, ${card}) as standing`;
  return standingOf(row);
}

function standingOf(row: { standing: PaymentStanding } | undefined): PaymentStanding {
  if (row === undefined) throw new Error('Postgres returned no standing for a payment');
  return row.standing;
}
