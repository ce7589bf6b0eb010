/** What was made at Stripe in a window: its lists of PaymentIntents, of refunds and of disputes, one after the other. */
import type Stripe from 'stripe';
import type { ListedPage, ListRequest } from '../gateway.js';
import { disputeInBooks, listedPayment, readDisputes, readIntents, readRefunds, refundInBooks } from './objects.js';
import { ask, unexpected } from './refusals.js';

/** Objects are large, and an answer may have 256 KiB. */
const pageSize = 25;
const shortPageSize = 5;

const lists = ['payments', 'refunds', 'disputes'] as const;
type List = (typeof lists)[number];

interface Made {
  readonly ids: readonly string[];
  readonly more: boolean;
  readonly page: Partial<ListedPage>;
}

/** @param request the cursor is `<list>,<id of its last object>`, or `<list>` for its first page */
export async function listedAt(
  stripe: Stripe,
  installation: string,
  { from, to, cursor, short = false }: ListRequest,
): Promise<ListedPage> {
  const [name = 'payments', after] = cursor?.split(',') ?? [];
  const list = lists.find((each) => each === name);
  if (list === undefined) throw new Error(`not a cursor of this list: ${cursor}`);
  const params = {
    // Stripe's times are whole seconds.
    created: { gte: Math.floor(Date.parse(from) / 1000), lt: Math.ceil(Date.parse(to) / 1000) },
    limit: short ? shortPageSize : pageSize,
    ...(after !== undefined && { starting_after: after }),
  };
  const { ids, more, page } = await listOf(stripe, installation, list, params);
  const last = ids.at(-1);
  const next = lists[lists.indexOf(list) + 1] ?? null;
  return { payments: [], refunds: [], disputes: [], ...page, cursor: more && last ? `${list},${last}` : next };
}

async function listOf(
  stripe: Stripe,
  installation: string,
  list: List,
  params: Stripe.PaymentIntentListParams & Stripe.RefundListParams & Stripe.DisputeListParams,
): Promise<Made> {
  const what = `the list of ${list}`;
  const answered = async (call: () => Promise<unknown>) => {
    const answer = await ask(what, call);
    if (answer.kind === 'refused') throw unexpected(what, answer);
    return answer.value;
  };
  switch (list) {
    case 'payments': {
      const { data, has_more: more } = readIntents(await answered(() => stripe.paymentIntents.list(params)));
      const payments = data.flatMap((intent) => listedPayment(intent, installation) ?? []);
      return { ids: data.map(({ id }) => id), more, page: { payments } };
    }
    case 'refunds': {
      const { data, has_more: more } = readRefunds(await answered(() => stripe.refunds.list(params)));
      const refunds = data.flatMap((made) => {
        const { payment_intent: authorizationId } = made;
        return authorizationId ? [{ authorizationId, ...refundInBooks(made) }] : [];
      });
      return { ids: data.map(({ id }) => id), more, page: { refunds } };
    }
    case 'disputes': {
      const { data, has_more: more } = readDisputes(await answered(() => stripe.disputes.list(params)));
      const disputes = data.flatMap((opened) => {
        const { payment_intent: authorizationId } = opened;
        return authorizationId ? [{ authorizationId, ...disputeInBooks(opened) }] : [];
      });
      return { ids: data.map(({ id }) => id), more, page: { disputes } };
    }
  }
}
