/** Payments as clients see them, and how one that belongs to no order is written down. */
import { and, desc, eq } from 'drizzle-orm';
import type { MailRequest, PaymentRecord, PaymentStanding } from '../../domain/orders/steps.js';
import type { CardSlot, PaymentAttempt } from '../../domain/payments/states.js';
import type { Database, Sql } from '../postgres/client.js';
import { behind, type Cursor, type Page, pageOf } from '../postgres/page.js';
import { rfc3339 } from '../postgres/time.js';
import { payments } from '../schema/index.js';

/** The payment resource of the contract. `amount` and `refunded` in minor units. */
export interface PaymentView {
  readonly id: string;
  readonly status: string;
  readonly amount: number;
  readonly currency: string;
  readonly orderId: string | null;
  readonly customerId: string | null;
  readonly reference: string | null;
  readonly cardUsed: string | null;
  readonly fraudScore: number | null;
  readonly attempts: readonly PaymentAttempt[];
  readonly refunded: number;
  readonly providerReference: string | null;
  readonly createdAt: string;
}

type PaymentRow = typeof payments.$inferSelect;

export function viewPayment(row: PaymentRow): PaymentView {
  return {
    id: row.id,
    status: row.status,
    amount: row.amount,
    currency: row.currency,
    orderId: row.orderId,
    customerId: row.customerId,
    reference: row.reference,
    cardUsed: row.cardUsed,
    fraudScore: row.fraudScore === null ? null : Number(row.fraudScore),
    attempts: row.attempts as readonly PaymentAttempt[],
    refunded: row.refunded,
    providerReference: row.providerReference,
    createdAt: rfc3339(row.createdAt),
  };
}

export interface StoredPayment {
  readonly payment: PaymentView;
  /** Why it was refused; null where it was not. */
  readonly failure: { readonly code: string; readonly detail: string } | null;
}

export async function getPayment(db: Database, id: string): Promise<StoredPayment | null> {
  const [row] = await db.select().from(payments).where(eq(payments.id, id));
  if (!row) return null;
  const failure = row.failureCode === null ? null : { code: row.failureCode, detail: row.failureDetail ?? '' };
  return { payment: viewPayment(row), failure };
}

export async function listPayments(
  db: Database,
  query: { customerId?: string | undefined; limit: number; cursor: Cursor | null },
): Promise<Page<PaymentView>> {
  const rows = await db
    .select()
    .from(payments)
    .where(
      and(
        query.customerId === undefined ? undefined : eq(payments.customerId, query.customerId),
        behind(payments.createdAt, payments.id, query.cursor),
      ),
    )
    .orderBy(desc(payments.createdAt), desc(payments.id))
    .limit(query.limit + 1);
  return pageOf('payments', rows, query.limit, (row) => ({ at: row.createdAt, id: row.id }), viewPayment);
}

/**
 * Writes a payment without an order, and the mails that must follow, in one transaction. A repetition changes nothing.
 * Answers how it stands.
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

/** Gives a card of a payment without an order up: nothing can settle with it any more. Answers how the payment stands. */
export async function abandonPayment(sql: Sql, payment: PaymentRecord, card: CardSlot): Promise<PaymentStanding> {
  const [row] = await sql<{ standing: PaymentStanding }[]>`
    select payment_abandon(${JSON.stringify(payment)}::text::jsonb, ${card}) as standing`;
  return standingOf(row);
}

function standingOf(row: { standing: PaymentStanding } | undefined): PaymentStanding {
  if (row === undefined) throw new Error('a payment was written and does not stand anywhere');
  return row.standing;
}
