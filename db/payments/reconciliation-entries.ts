/** What a running reconciliation has listed: both sides of each payment, and what differs between them. */

import type { BookedDispute, BookedRefund } from '../../domain/payments/adoption.js';
import type { GatewayName } from '../../domain/payments/gateways.js';
import type {
  DiscrepancyAction,
  Finding,
  ListedPayment,
  OurPayment,
  ReconciliationProgress,
} from '../../domain/payments/reconciliation.js';
import type { Sql } from '../postgres/client.js';
import type { ReconciliationRun, Runner } from './reconciliations.js';

/** One object of a processor's list. */
export interface ListedEntry {
  readonly kind: 'payment' | 'refund' | 'dispute';
  /** The processor's id of it. */
  readonly reference: string;
  readonly authorizationId: string;
  /** Our payment, as the processor names it. */
  readonly named: string | null;
  /** The order or payment that it was made for, as the processor says. */
  readonly purpose: string | null;
  readonly entry: object;
}

/** Keeps a page of a processor's list, each object with our payment, and the place of the next page. */
export async function keepPage(
  sql: Sql,
  { id, runner }: Runner,
  gateway: GatewayName,
  entries: readonly ListedEntry[],
  progress: ReconciliationProgress,
): Promise<boolean> {
  const [row] = await sql<{ mine: number }[]>`
    with mine as (
      update reconciliations set progress = ${JSON.stringify(progress)}::text::jsonb
       where id = ${id} and runner = ${runner} and status = 'running' returning id),
    listed as (
      select distinct on (e.kind, e.reference) e.*
        from jsonb_to_recordset(${JSON.stringify(entries)}::text::jsonb)
          as e(kind text, reference text, "authorizationId" text, named text, purpose text, entry jsonb)),
    owned as (
      select l.*, coalesce(
               (select p.id from payments p where p.provider_reference = l."authorizationId" and p.gateway = ${gateway} limit 1),
               (select o.payment_id from provider_operations o
                 where o.provider_id = l."authorizationId" and o.gateway = ${gateway}
                   and exists (select from payments p where p.id = o.payment_id) limit 1),
               (select p.id from payments p where p.id = l.named and p.gateway = ${gateway})) as payment_id,
             exists (select from payments p where p.id = l.purpose)
               or exists (select from payments p where p.order_id = l.purpose) as names_ours
        from listed l),
    kept as (
      insert into reconciliation_entries (reconciliation_id, gateway, kind, reference, subject, payment_id, entry)
      select mine.id, ${gateway}, o.kind, o.reference, coalesce(o.payment_id, o."authorizationId"), o.payment_id,
             o.entry || jsonb_build_object('authorizationId', o."authorizationId", 'namesOurs', o.names_ours)
        from owned o, mine
      on conflict (reconciliation_id, gateway, kind, reference) do update
        set subject = excluded.subject, payment_id = excluded.payment_id, entry = excluded.entry)
    select count(*)::int as mine from mine`;
  return row?.mine === 1;
}

/** Adds our payments of the window that the processor's lists lack. */
export async function keepOurs(
  slowSql: Sql,
  { id, runner }: Runner,
  gateway: GatewayName,
  { from, to }: Pick<ReconciliationRun, 'from' | 'to'>,
  progress: ReconciliationProgress,
): Promise<boolean> {
  const [row] = await slowSql<{ mine: number }[]>`
    with mine as (
      update reconciliations set progress = ${JSON.stringify(progress)}::text::jsonb
       where id = ${id} and runner = ${runner} and status = 'running' returning id),
    made as (
      select p.id from payments p where p.created_at >= ${from}::timestamptz and p.created_at < ${to}::timestamptz
      union
      select r.payment_id from refunds r
       where r.payment_id is not null and r.created_at >= ${from}::timestamptz and r.created_at < ${to}::timestamptz),
    kept as (
      insert into reconciliation_entries (reconciliation_id, gateway, kind, reference, subject, payment_id, entry)
      select mine.id, p.gateway, 'ours', p.id, p.id, p.id, '{}'
        from made join payments p on p.id = made.id, mine
       where p.gateway = ${gateway} and p.status in ('captured', 'partially_refunded', 'refunded')
      on conflict do nothing)
    select count(*)::int as mine from mine`;
  return row?.mine === 1;
}

type At = { readonly authorizationId: string };
/** An object of a processor's list, as it is kept. `namesOurs`: it was made for an order or a payment of ours. */
export type KeptEntry =
  | { readonly kind: 'payment'; readonly entry: ListedPayment & { readonly namesOurs: boolean } }
  | { readonly kind: 'refund'; readonly entry: BookedRefund & At }
  | { readonly kind: 'dispute'; readonly entry: BookedDispute & At }
  | { readonly kind: 'ours'; readonly entry: object };

/** What was listed of one payment. */
export interface Listed {
  readonly subject: string;
  readonly paymentId: string | null;
  readonly entries: readonly KeptEntry[];
}

/** The next payments to compare, in order. */
export async function nextListed(
  sql: Sql,
  id: string,
  gateway: GatewayName,
  after: string,
  limit: number,
): Promise<readonly Listed[]> {
  return await sql<Listed[]>`
    with next as (
      select distinct e.subject from reconciliation_entries e
       where e.reconciliation_id = ${id} and e.gateway = ${gateway} and e.subject > ${after}
       order by e.subject limit ${limit})
    select e.subject, min(e.payment_id) as "paymentId",
           jsonb_agg(jsonb_build_object('kind', e.kind, 'entry', e.entry) order by e.kind, e.reference) as entries
      from next join reconciliation_entries e
        on e.reconciliation_id = ${id} and e.gateway = ${gateway} and e.subject = next.subject
     group by e.subject order by e.subject`;
}

export interface OurSide {
  /** Postgres' clock. */
  readonly now: string;
  readonly payments: readonly OurPayment[];
}

/** Our books of these payments. */
export async function ourSide(sql: Sql, paymentIds: readonly string[]): Promise<OurSide> {
  const [row] = await sql<OurSide[]>`
    select rfc3339(clock_timestamp()) as now, coalesce((
      select jsonb_agg(jsonb_build_object(
               'id', p.id, 'gateway', p.gateway, 'status', p.status, 'amount', p.amount, 'currency', p.currency,
               'providerReference', p.provider_reference, 'refunded', p.refunded, 'updatedAt', rfc3339(p.updated_at),
               'refunds', (select coalesce(jsonb_agg(jsonb_build_object(
                   'id', r.id, 'amount', r.amount, 'status', r.status, 'origin', r.origin,
                   'providerReference', r.provider_reference, 'createdAt', rfc3339(r.created_at),
                   'changedAt', rfc3339(coalesce(r.settled_at, r.created_at)))), '[]')
                 from refunds r where r.payment_id = p.id and r.gateway is not null),
               'disputes', (select coalesce(jsonb_agg(jsonb_build_object(
                   'providerReference', d.provider_reference, 'amount', d.amount, 'status', d.status)), '[]')
                 from disputes d where d.payment_id = p.id)))
        from payments p where p.id = any(${paymentIds as string[]}::text[])), '[]') as payments`;
  if (row === undefined) throw new Error('Postgres returned no books');
  return row;
}

/** A finding as it is stored. */
export interface Outcome {
  readonly key: string;
  readonly finding: Finding;
  readonly action: DiscrepancyAction;
  /** Opened unless it was before; null: none. */
  readonly review: { readonly id: string; readonly subject: string; readonly lastError: string } | null;
}

/** A stored finding that is repaired, and its review, which an earlier reconciliation may have opened. */
export interface Repaired {
  readonly key: string;
  readonly reviewId: string;
}

/**
 * Stores findings, opens and closes their reviews, and records progress, in one transaction. False if another attempt has
 * claimed the reconciliation.
 * @param counts what is added to the counts of the reconciliation
 */
export async function keepOutcomes(
  sql: Sql,
  { id, runner }: Runner,
  gateway: GatewayName,
  { outcomes, repaired }: { readonly outcomes: readonly Outcome[]; readonly repaired: readonly Repaired[] },
  progress: ReconciliationProgress,
  counts: { readonly compared: number; readonly found: number },
): Promise<boolean> {
  const rows = outcomes.map(({ key, finding, action, review }) => ({
    ...{ key, action, kind: finding.kind, paymentId: finding.paymentId },
    ...{ providerReference: finding.providerReference, ours: finding.ours, theirs: finding.theirs, review },
  }));
  const resolution = { by: 'success', resolution: 'succeeded', note: 'repaired', actor: 'reconciliation' };
  const [row] = await sql<{ mine: number }[]>`
    with mine as (
      update reconciliations
         set progress = ${JSON.stringify(progress)}::text::jsonb, compared = compared + ${counts.compared}::int,
             found = found + ${counts.found}::int
       where id = ${id} and runner = ${runner} and status = 'running' returning id, actor),
    given as (
      select o.* from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as o(
        key text, kind text, "paymentId" text, "providerReference" text, ours jsonb, theirs jsonb, action text, review jsonb)),
    stored as (
      insert into discrepancies (reconciliation_id, key, kind, gateway, payment_id, provider_reference, ours, theirs, action)
      select mine.id, g.key, g.kind, ${gateway}, g."paymentId", g."providerReference", nullif(g.ours, 'null'),
             nullif(g.theirs, 'null'), g.action
        from given g, mine
      on conflict (reconciliation_id, key) do update set action = excluded.action),
    opened as (
      insert into manual_reviews (id, kind, subject, detail, attempts, last_error)
      select g.review->>'id', 'reconciliation', g.review->>'subject',
             jsonb_build_object('kind', g.kind, 'gateway', ${gateway}::text, 'paymentId', g."paymentId",
                                'providerReference', g."providerReference", 'ours', g.ours, 'theirs', g.theirs,
                                'reconciliationId', mine.id), 1, g.review->>'lastError'
        from given g, mine where g.review <> 'null'
      on conflict do nothing),
    repaired as (
      update discrepancies set action = 'repaired'
       where reconciliation_id in (select id from mine) and key = any(${repaired.map(({ key }) => key)}::text[])
         -- A row is changed once in a statement.
         and key not in (select g.key from given g)),
    closed as (
      update manual_reviews
         set status = 'resolved',
             resolution = ${JSON.stringify(resolution)}::text::jsonb || jsonb_build_object('at', to_jsonb(clock_timestamp()))
       where status = 'open' and id = any(${repaired.map(({ reviewId }) => reviewId)}::text[])
         and exists (select from mine)),
    voided as (
      select g."paymentId" as payment_id, g."providerReference" as reference from given g
       where g.kind = 'authorization_open' and g.action = 'repaired'
      union all
      select d.payment_id, d.provider_reference from discrepancies d
       where d.reconciliation_id in (select id from mine) and d.kind = 'authorization_open'
         and d.key = any(${repaired.map(({ key }) => key)}::text[]) and d.key not in (select g.key from given g)),
    reported as (
      select audit(mine.actor, 'payment.voided', 'payment/' || v.payment_id, 'done', null,
                   jsonb_build_object('gateway', ${gateway}::text, 'reference', v.reference,
                                      'reconciliationId', mine.id))::text as said
        from voided v, mine)
    select (select count(*)::int from mine) as mine, (select count(said) from reported) as reported`;
  return row?.mine === 1;
}

/** How many findings a reconciliation has stored, by whether they ask for something. */
export async function storedCounts(sql: Sql, id: string): Promise<{ readonly acting: number; readonly noted: number }> {
  const [row] = await sql<{ acting: number; noted: number }[]>`
    select count(*) filter (where action <> 'none')::int as acting, count(*) filter (where action = 'none')::int as noted
      from discrepancies where reconciliation_id = ${id}`;
  return row ?? { acting: 0, noted: 0 };
}
