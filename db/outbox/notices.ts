/** Outbox rows that become mails: to customers (topic `mail`) and to our own staff (topic `notice`). */
import type { Notice } from '../../domain/notices.js';
import type { MailRequest } from '../../domain/orders/steps.js';
import type { Sql } from '../postgres/client.js';

/** The contents of a mail, read when it is sent, so that no queue holds personal data. */
export interface MailFacts {
  readonly outboxId: number;
  readonly template: MailRequest['template'];
  readonly to: string;
  readonly orderId: string | null;
  readonly paymentId: string;
  readonly amount: number;
  readonly currency: string;
  readonly lines: readonly MailLine[];
  /** Of the order; empty and 0 where the payment has none. */
  readonly charges: readonly { readonly name: string; readonly amount: number }[];
  readonly tax: number;
  readonly taxesIncluded: boolean;
}

/** A line of the order, with its own name or the current one of its product. Amounts in minor units. */
interface MailLine {
  readonly name: string;
  readonly quantity: number;
  readonly unitPrice: number;
  readonly discount: number;
}

/** The contents of a mail about a refund. Amount in minor units. */
export interface RefundMailFacts {
  readonly outboxId: number;
  readonly to: string;
  readonly refundId: string;
  readonly orderId: string | null;
  readonly paymentId: string | null;
  readonly amount: number;
  readonly currency: string;
  /** The units returned, with the current names of their products. */
  readonly lines: readonly { readonly name: string; readonly quantity: number }[];
}

export interface NoticeFacts {
  readonly outboxId: number;
  readonly notice: Notice;
}

/** The unsent mails of these rows. Leaves out rows without an address. */
export async function unsentMails(sqlClient: Sql, rowIds: readonly number[]): Promise<readonly MailFacts[]> {
  return sqlClient<MailFacts[]>`
    select b.id::float8 as "outboxId", b.payload->>'template' as template, coalesce(p.customer_email, o.customer_email) as "to",
           p.order_id as "orderId", p.id as "paymentId", p.amount::float8 as amount, p.currency,
                coalesce((select json_agg(json_build_object('name', coalesce(l.name, r.name), 'quantity', l.quantity,
                                                       'unitPrice', l.unit_price_amount, 'discount', l.discount)
                                     order by l.line)
                       from order_lines l join products r on r.sku = l.sku where l.order_id = p.order_id), '[]') as lines,
           coalesce(o.charges, '[]') as charges, coalesce(o.tax_amount, 0)::float8 as tax,
           coalesce(o.taxes_included, false) as "taxesIncluded"
      from outbox b
      join payments p on p.id = b.payload->>'paymentId'
      left join orders o on o.id = p.order_id
     where b.id = any(${rowIds as number[]}) and b.topic = 'mail' and b.sent_at is null
       and coalesce(p.customer_email, o.customer_email) is not null
     order by b.id`;
}

/** The unsent mails about refunds of these rows. Leaves out rows without an address. */
export async function unsentRefundMails(
  sqlClient: Sql,
  rowIds: readonly number[],
): Promise<readonly RefundMailFacts[]> {
  return sqlClient<RefundMailFacts[]>`
    select b.id::float8 as "outboxId", coalesce(p.customer_email, o.customer_email) as "to", r.id as "refundId",
           r.order_id as "orderId", r.payment_id as "paymentId", r.amount::float8 as amount, r.currency,
           coalesce((select json_agg(json_build_object('name', c.name, 'quantity', (x->>'quantity')::bigint) order by ord)
                       from jsonb_array_elements(r.lines) with ordinality as e(x, ord)
                       join products c on c.sku = x->>'sku'), '[]') as lines
      from outbox b
      join refunds r on r.id = b.payload->>'refundId'
      left join payments p on p.id = r.payment_id
      left join orders o on o.id = r.order_id
     where b.id = any(${rowIds as number[]}) and b.topic = 'mail' and b.sent_at is null
       and coalesce(p.customer_email, o.customer_email) is not null
     order by b.id`;
}

/** The unsent notices of these rows. */
export async function unsentNotices(sqlClient: Sql, rowIds: readonly number[]): Promise<readonly NoticeFacts[]> {
  return sqlClient<NoticeFacts[]>`
    select id::float8 as "outboxId", payload as notice from outbox
     where id = any(${rowIds as number[]}) and topic = 'notice' and sent_at is null order by id`;
}

/** Marks mails that the mail server has accepted: they are never sent again. */
export async function markSent(sqlClient: Sql, rowIds: readonly number[]): Promise<void> {
  if (rowIds.length === 0) return;
  await sqlClient`update outbox set sent_at = clock_timestamp() where id = any(${rowIds as number[]})`;
}
