/** Commands to a subscription that exists: change its plan, cancel, pause or resume it, replace its cards. */
import { getSubscription } from '../../db/subscriptions/queries.js';
import { resumptionOf } from '../../db/subscriptions/resumption.js';
import { type CustomerLimits, customerLimits } from '../../domain/payments/limits.js';
import type { Plan } from '../../domain/subscriptions/states.js';
import {
  type Proration,
  type SubscriptionAnswer,
  subscriptionWorkflowId,
} from '../../workflows/subscription/contract.js';
import type { ApiDeps } from '../deps.js';
import { wholeSecond } from '../http/instants.js';
import { type Answer, answer, type Reply, refuseWith } from '../http/reply.js';
import type { CallContext } from '../http/route.js';
import { refuseTokens } from '../shapes/payment.js';
import type { UpdateCall, UpdateOutcome } from '../temporal/saga-client.js';
import { commandSaga } from '../temporal/saga-resource.js';
import type { SubscriptionCommand } from '../temporal/sagas.js';
import { type Reached, subscriptions } from './read.js';
import type { ChangedSubscription, Subscription } from './schemas.js';

type SubscriptionReply = Reply<Answer<200 | 202, Subscription>>;

export function cancelSubscription(
  id: string,
  atPeriodEnd: boolean,
  call: CallContext,
  deps: ApiDeps,
): Promise<SubscriptionReply> {
  return command(id, 'cancel', { atPeriodEnd }, 'cancelled', call, deps);
}

export function pauseSubscription(id: string, call: CallContext, deps: ApiDeps): Promise<SubscriptionReply> {
  return command(id, 'pause', {}, 'paused', call, deps);
}

export function resumeSubscription(id: string, call: CallContext, deps: ApiDeps): Promise<SubscriptionReply> {
  return command(id, 'resume', limitsOf(deps), 'active', call, deps);
}

export interface Cards {
  readonly cardToken: string;
  readonly backupCardToken?: string | undefined;
}

export async function replaceCards(
  id: string,
  cards: Cards,
  call: CallContext,
  deps: ApiDeps,
): Promise<SubscriptionReply> {
  // Its cards are stored where its payments are made, whatever the setting says now.
  const stored = await getSubscription(deps.connection.db, id);
  const foreign = refuseTokens(stored?.gateway ?? deps.settings.paymentGateway, cards, '');
  if (foreign) return foreign;
  const { cardToken, backupCardToken = null } = cards;
  return await command(id, 'paymentMethod', { cardToken, backupCardToken }, 'active', call, deps);
}

export async function changePlan(
  id: string,
  plan: Plan,
  call: CallContext,
  deps: ApiDeps,
): Promise<Reply<Answer<200 | 202, ChangedSubscription>>> {
  let decided: Proration | null = null;
  const reply = await command(id, 'change', { plan, ...limitsOf(deps) }, 'active', call, deps, (given) => {
    if (given.kind === 'done') decided = given.proration ?? null;
  });
  if (reply.kind !== 'answer') return reply;
  return answer(reply.status, { ...reply.body, proration: decided && viewProration(decided) }, reply.headers);
}

/** The customer's limits, as the settings have them now. */
function limitsOf({ settings }: ApiDeps): { limits?: CustomerLimits } {
  const limits = customerLimits(settings.payments);
  return limits ? { limits } : {};
}

function viewProration({ credit, charge, net, from, to }: Proration): ChangedSubscription['proration'] {
  return { credit, charge, net, from: wholeSecond(from), to: wholeSecond(to) };
}

async function command(
  id: string,
  name: SubscriptionCommand,
  request: object,
  to: Reached,
  call: CallContext,
  deps: ApiDeps,
  onAnswer: (answer: SubscriptionAnswer) => void = () => undefined,
): Promise<SubscriptionReply> {
  const send = async (updateCall: UpdateCall): Promise<UpdateOutcome<SubscriptionAnswer>> => {
    const update = () => deps.sagas.updateSubscription(id, name, { ...request, caller: call.caller }, updateCall);
    const first = await update();
    const outcome = first.kind === 'ended' && (await broughtBack(id, call, deps)) ? await update() : first;
    if (outcome.kind === 'answered') onAnswer(outcome.answer);
    return outcome;
  };
  // A repeated command is no command that is done: it is refused like any other once the subscription is cancelled.
  const how = {
    to,
    successStatus: 200,
    send,
    isDone: () => false,
    insteadWhenFull: 'send it again in a while',
  } as const;
  const reply = await commandSaga(subscriptions, id, how, call, deps);
  if (reply.kind !== 'refused' || reply.refusal.code !== 'invalid_state') return reply;
  // A charge that another command stopped says only that: then `from` is what that command made of the subscription.
  const from = reply.refusal.extensions?.from ?? (await getSubscription(deps.connection.db, id))?.status;
  return refuseWith(reply.refusal, { from, to });
}

/** Starts a live subscription whose workflow the server does not know any more. Returns whether its workflow runs. */
async function broughtBack(id: string, { caller, ids }: CallContext, deps: ApiDeps): Promise<boolean> {
  const row = await getSubscription(deps.connection.db, id);
  if (row === null || row.status === 'cancelled') return false;
  // The sweep resumes one that is only lost.
  if ((await deps.sagas.presence(subscriptionWorkflowId(id))) !== 'absent') return false;
  const input = { ...resumptionOf(row, deps.settings), caller };
  const outcome = await deps.sagas.startSubscription(input, { updateId: ids.update, waitMs: 0 });
  return outcome.kind === 'late';
}
