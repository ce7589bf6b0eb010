/** Adopts what processors' books say (db/functions/15_adoption.sql), and remembers how far their changes were read. */
import { randomUUID } from 'node:crypto';
import type { Adopted, ProcessorBook, ProcessorPayment } from '../../domain/payments/adoption.js';
import type { GatewayName } from '../../domain/payments/gateways.js';
import type { Sql } from '../postgres/client.js';

/** Called with the number of disputes that are new. */
export type OnDisputes = (gateway: GatewayName, count: number) => void;

/** Adopts the books, in one transaction. Returns an outcome for each, in order. */
export async function adoptBooks(
  sql: Sql,
  books: readonly ProcessorBook[],
  onDisputes: OnDisputes = () => undefined,
): Promise<readonly Adopted[]> {
  if (books.length === 0) return [];
  // The second part reads what was there when the statement began.
  const [row] = await sql<{ results: Adopted[]; disputes: number[] }[]>`
    select payments_adopt(${JSON.stringify(books)}::text::jsonb) as results,
           array(select count(x)::int
                   from jsonb_array_elements(${JSON.stringify(books)}::text::jsonb) with ordinality e(b, ord)
                   left join lateral (
                     select x from jsonb_array_elements(e.b->'disputes') x
                      where not exists (select from disputes d
                                         where d.gateway = e.b->>'gateway' and d.provider_reference = x->>'providerReference')
                   ) new on true
                  group by e.ord order by e.ord) as disputes`;
  if (row?.results.length !== books.length) throw new Error('Postgres returned no outcome for a book');
  for (const [index, { gateway }] of books.entries()) {
    const count = row.disputes[index] ?? 0;
    if (count > 0 && row.results[index]?.outcome === 'done') onDisputes(gateway, count);
  }
  return row.results;
}

/** A payment that a processor reports a change of, with the outbox rows that say so. */
export interface Reported extends ProcessorPayment {
  readonly paymentId: string | null;
  readonly rowIds: readonly number[];
}

export interface Reports {
  readonly payments: readonly Reported[];
  /** Postgres' clock, before anything is read. */
  readonly readAt: string;
}

/**
 * The payments that these outbox rows are about. Rows that say nothing new, or are about no payment of ours, are marked as
 * handled. The id of each operation was stored before money moved, so it is known before anybody can report about it.
 */
export async function openReports(sql: Sql, rowIds: readonly number[]): Promise<Reports> {
  const [row] = await sql<Reports[]>`
    with open as (
      select b.id, b.payload->>'gateway' as gateway, b.payload->>'providerId' as provider_id,
             coalesce((select p.id from payments p
                        where p.provider_reference = b.payload->>'providerId' and p.gateway = b.payload->>'gateway' limit 1),
                      (select o.payment_id from provider_operations o
                        where o.provider_id = b.payload->>'providerId' and o.gateway = b.payload->>'gateway' limit 1),
                      b.payload->>'paymentId') as payment_id,
             exists (select from payments p
                      where p.provider_reference = b.payload->>'providerId' and p.gateway = b.payload->>'gateway'
                        and event_is_known(b.payload->>'type', p.status))
             as known
        from outbox b where b.id = any(${rowIds as number[]}) and b.topic = 'processor' and b.sent_at is null),
    handled as (
      update outbox set sent_at = clock_timestamp() where id in (select id from open where known or payment_id is null)),
    grouped as (
      select gateway, provider_id as "providerId", min(payment_id) as "paymentId", jsonb_agg(id order by id) as "rowIds"
        from open where not known and payment_id is not null group by gateway, provider_id)
    select clock_timestamp()::text as "readAt", coalesce((select jsonb_agg(g) from grouped g), '[]') as payments`;
  if (row === undefined) throw new Error('Postgres returned no reports');
  return row;
}

/** The subject of a review of a payment whose books could not be adopted. */
const subjectOf = ({ gateway, providerId }: ProcessorPayment) => `processor/${gateway}/${providerId}`;

/** Marks the reports of adopted payments as handled, and closes the reviews of earlier attempts. */
export async function closeReports(sql: Sql, payments: readonly Reported[]): Promise<void> {
  if (payments.length === 0) return;
  const rowIds = payments.flatMap((payment) => payment.rowIds);
  const resolution = { by: 'success', resolution: 'succeeded', note: null, actor: 'adoption' };
  await sql`
    with closed as (
      update manual_reviews
         set status = 'resolved',
             resolution = ${JSON.stringify(resolution)}::text::jsonb || jsonb_build_object('at', to_jsonb(clock_timestamp()))
       where status = 'open' and kind = 'adoption_failed' and subject = any(${payments.map(subjectOf)}))
    update outbox set sent_at = clock_timestamp() where id = any(${rowIds}) and sent_at is null`;
}

/** Opens a review of a payment that cannot be adopted, unless one is open, and marks its reports as handled. */
export async function leaveToPerson(
  sql: Sql,
  payment: Reported,
  { attempts, lastError }: { readonly attempts: number; readonly lastError: string },
): Promise<void> {
  const { rowIds, ...of } = payment;
  const subject = subjectOf(payment);
  const detail = JSON.stringify({ ...of, outboxIds: rowIds });
  await sql`
    with opened as (
      insert into manual_reviews (id, kind, subject, detail, attempts, last_error)
      select ${`rev_${randomUUID().replaceAll('-', '')}`}, 'adoption_failed', ${subject}, ${detail}::text::jsonb, ${attempts}, ${lastError}
       where not exists (select from manual_reviews
                          where status = 'open' and kind = 'adoption_failed' and subject = ${subject}))
    update outbox set sent_at = clock_timestamp() where id = any(${[...rowIds]}) and sent_at is null`;
}

/** Queues payments whose books could not be adopted yet. */
export async function queueReports(
  sql: Sql,
  payments: readonly (ProcessorPayment & { readonly paymentId: string | null })[],
  readAt: string,
): Promise<void> {
  if (payments.length === 0) return;
  await sql`
    with queued as (
      insert into outbox (topic, dedup_key, payload)
      select 'processor', (r->>'gateway') || '/' || (r->>'providerId') || '/' || ${readAt}, r || '{"type": null}'
        from jsonb_array_elements(${JSON.stringify(payments)}::text::jsonb) as x(r)
      on conflict (topic, dedup_key) do nothing
      returning 1)
    select pg_notify('outbox', '') where exists (select from queued)`;
}

/** Where the list of a processor's changes was left. */
export interface Mark {
  /** RFC 3339. */
  readonly since: string;
  /** Of the next page; null: the first one of a new look. */
  readonly cursor: string | null;
}

/** How far back the first look goes. */
const firstLookHours = 24;

export async function readMark(sql: Sql, gateway: GatewayName): Promise<Mark & { readonly now: string }> {
  const [row] = await sql<(Mark & { readonly now: string })[]>`
    select to_char(coalesce(m.since, now() - make_interval(hours => ${firstLookHours})) at time zone 'utc',
                   'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as since,
           m.cursor, clock_timestamp()::text as now
      from (select 1) one left join processor_marks m on m.gateway = ${gateway}`;
  if (row === undefined) throw new Error('Postgres returned no mark');
  return row;
}

export async function saveMark(sql: Sql, gateway: GatewayName, { since, cursor }: Mark): Promise<void> {
  await sql`
    insert into processor_marks (gateway, since, cursor) values (${gateway}, ${since}, ${cursor})
    on conflict (gateway) do update set since = excluded.since, cursor = excluded.cursor`;
}
