/** Adopts what processors' books say (db/functions/15_adoption.sql), and remembers how far their changes were read. */
import type { Adopted, ProcessorBook, ProcessorPayment } from '../../domain/payments/adoption.js';
import type { GatewayName } from '../../domain/payments/gateways.js';
import type { Sql } from '../postgres/client.js';

/** Adopts the books, in one transaction. Returns an outcome for each, in order. */
export async function adoptBooks(sql: Sql, books: readonly ProcessorBook[]): Promise<readonly Adopted[]> {
  if (books.length === 0) return [];
  const [row] = await sql<{ results: Adopted[] }[]>`
    select payments_adopt(${JSON.stringify(books)}::text::jsonb) as results`;
  if (row?.results.length !== books.length) throw new Error('Postgres returned no outcome for a book');
  return row.results;
}

/** A payment that a processor reports a change of, with the outbox rows that say so. */
export interface Reported extends ProcessorPayment {
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
             exists (select from payments p
                      where p.provider_reference = b.payload->>'providerId' and p.gateway = b.payload->>'gateway'
                        and event_is_known(b.payload->>'type', p.status))
             or not exists (select from payments p
                             where p.provider_reference = b.payload->>'providerId' and p.gateway = b.payload->>'gateway')
                and not exists (select from provider_operations o
                                 where o.provider_id = b.payload->>'providerId' and o.gateway = b.payload->>'gateway') as known
        from outbox b where b.id = any(${rowIds as number[]}) and b.topic = 'processor' and b.sent_at is null),
    handled as (
      update outbox set sent_at = clock_timestamp() where id in (select id from open where known)),
    grouped as (
      select gateway, provider_id as "providerId", jsonb_agg(id order by id) as "rowIds"
        from open where not known group by gateway, provider_id)
    select clock_timestamp()::text as "readAt", coalesce((select jsonb_agg(g) from grouped g), '[]') as payments`;
  if (row === undefined) throw new Error('Postgres returned no reports');
  return row;
}

/** Marks reports as handled. */
export async function closeReports(sql: Sql, rowIds: readonly number[]): Promise<void> {
  if (rowIds.length === 0) return;
  await sql`update outbox set sent_at = clock_timestamp() where id = any(${rowIds as number[]}) and sent_at is null`;
}

/** Queues payments whose books could not be adopted yet. */
export async function queueReports(sql: Sql, payments: readonly ProcessorPayment[], readAt: string): Promise<void> {
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
