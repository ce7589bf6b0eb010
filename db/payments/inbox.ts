/** The inbox of card processors: each event once, stored before the processor is told that it has arrived. */
import type { StripeEvent } from '../../domain/payments/stripe-events.js';
import type { Sql } from '../postgres/client.js';

/**
 * - `stored`: about a payment of ours.
 * - `repeated`: it was here before.
 * - `foreign`: about a payment that another installation, or somebody else, made at the same account.
 * - `unknown`: of a type that changes nothing here.
 */
export type EventOutcome = 'stored' | 'repeated' | 'foreign' | 'unknown';

/**
 * Stores events, and queues the look at each payment that one of them may have changed. Of what an event says only the
 * payment's id is kept, and only if the payment is ours: its id was stored before money moved, or the event names this
 * installation. Returns an outcome for each, in order.
 */
export async function keepEvents(sql: Sql, events: readonly StripeEvent[]): Promise<readonly EventOutcome[]> {
  if (events.length === 0) return [];
  const rows = await sql<{ eventId: string; providerId: string | null }[]>`
    with told as (
      select distinct on (e.id) e.* from jsonb_to_recordset(${JSON.stringify(events)}::text::jsonb)
        as e(id text, type text, "paymentIntentId" text, "namesUs" boolean)),
    kept as (
      insert into processor_events (gateway, event_id, type, provider_id)
      select 'stripe', e.id, e.type, case
               when e."namesUs"
                 or exists (select from provider_operations where gateway = 'stripe' and provider_id = e."paymentIntentId")
                 or exists (select from payments where gateway = 'stripe' and provider_reference = e."paymentIntentId")
               then e."paymentIntentId"
             end
        from told e
      on conflict do nothing
      returning event_id, type, provider_id),
    queued as (
      insert into outbox (topic, dedup_key, payload)
      select 'processor', 'stripe/' || k.event_id,
             jsonb_build_object('gateway', 'stripe', 'providerId', k.provider_id, 'type', k.type)
        from kept k
       where k.provider_id is not null
         and not exists (select from payments p
                          where p.gateway = 'stripe' and p.provider_reference = k.provider_id
                            and event_is_known(k.type, p.status))
      on conflict (topic, dedup_key) do nothing
      returning 1),
    woken as (select count(pg_notify('outbox', '')) from (select from queued limit 1) q)
    select k.event_id as "eventId", k.provider_id as "providerId" from kept k, woken`;
  const kept = new Map(rows.map(({ eventId, providerId }) => [eventId, providerId]));
  return events.map(({ id, ofInterest }) => {
    const providerId = kept.get(id);
    // The same event twice in one call is one row.
    kept.delete(id);
    if (providerId === undefined) return 'repeated';
    if (providerId !== null) return 'stored';
    return ofInterest ? 'foreign' : 'unknown';
  });
}
