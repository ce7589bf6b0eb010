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
 * Stores an event. Of what it says only the payment's id is kept, and only if the payment is ours: its id was stored before
 * money moved, or the event names this installation.
 */
export async function keepEvent(sql: Sql, event: StripeEvent): Promise<EventOutcome> {
  const { id, type, paymentIntentId, namesUs, ofInterest } = event;
  const rows = await sql<{ providerId: string | null }[]>`
    insert into processor_events (gateway, event_id, type, provider_id)
    select 'stripe', ${id}, ${type}, case
             when ${namesUs}
               or exists (select from provider_operations where gateway = 'stripe' and provider_id = ${paymentIntentId})
               or exists (select from payments where gateway = 'stripe' and provider_reference = ${paymentIntentId})
             then ${paymentIntentId}::text
           end
    on conflict do nothing
    returning provider_id as "providerId"`;
  const [row] = rows;
  if (row === undefined) return 'repeated';
  if (row.providerId !== null) return 'stored';
  return ofInterest ? 'foreign' : 'unknown';
}
