/** What has changed at Stripe: its list of events, those of its webhooks among them. */
import type Stripe from 'stripe';
import { z } from 'zod';
import { readStripeEvent, stripeEventTypes } from '../../../domain/payments/stripe-events.js';
import { expectShape } from '../../http/answers.js';
import type { ChangesPage } from '../gateway.js';
import { instantOf } from './objects.js';
import { ask, unexpected } from './refusals.js';
import { gateway } from './transport.js';

/** Events hold whole objects, and an answer may have 256 KiB. */
const pageSize = 25;
const shortPageSize = 5;
/** Events may be listed a little later than those that were created after them. */
const overlapSeconds = 60;

const eventList = z.object({ data: z.array(z.looseObject({ id: z.string() })), has_more: z.boolean() });

/**
 * One page of the events since an instant; Stripe lists the newest first. `until` moves with the last page only: the pages
 * before it hold what is newer.
 * @param request the cursor is `<seconds of until>,<id of the last event>`
 */
export async function changesAt(
  stripe: Stripe,
  installation: string,
  {
    since,
    cursor,
    short = false,
  }: { readonly since: string; readonly cursor: string | null; readonly short?: boolean },
): Promise<ChangesPage> {
  const from = Math.floor(Date.parse(since) / 1000);
  const [untilOfCursor, after] = cursor?.split(',') ?? [];
  const params = {
    types: [...stripeEventTypes],
    created: { gte: from },
    limit: short ? shortPageSize : pageSize,
    ...(after !== undefined && { starting_after: after }),
  };
  const answer = await ask('the list of events', () => stripe.events.list(params));
  if (answer.kind === 'refused') throw unexpected('the list of events', answer);
  const page = expectShape(gateway, eventList, answer.value);
  const events = page.data.flatMap((event) => readStripeEvent(event, installation) ?? []);
  const newest = Math.max(from + overlapSeconds, ...events.map(({ created }) => created));
  const until = untilOfCursor === undefined ? newest - overlapSeconds : Number(untilOfCursor);
  const last = page.data.at(-1);
  if (page.has_more && last !== undefined) return { books: [], events, cursor: `${until},${last.id}`, until: since };
  return { books: [], events, cursor: null, until: instantOf(until) };
}
