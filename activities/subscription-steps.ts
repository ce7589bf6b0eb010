/** One step of a subscription: reads it, has it decided, and writes the decision in one transaction. */
import { createHash } from 'node:crypto';
import { log } from '@temporalio/activity';
import type { PaymentBegun, SubscriptionStore } from '../db/subscriptions/store.js';
import type { Refusal } from '../domain/errors.js';
import type { MailRequest, PaymentRecord } from '../domain/orders/steps.js';
import type { CardSlot } from '../domain/payments/states.js';
import { refusalOf } from '../domain/refusals.js';
import { isDue } from '../domain/subscriptions/billing.js';
import type { Prorated } from '../domain/subscriptions/commands.js';
import { finalCards } from '../domain/subscriptions/dunning.js';
import type {
  ChargingStep,
  StepAnswer,
  SubscriptionState,
  SubscriptionStepResult,
} from '../domain/subscriptions/steps.js';
import {
  type ChargeOrder,
  type Decision,
  type Ids,
  instantOf,
  type Snapshot,
  type Subscription,
} from '../domain/subscriptions/subscription.js';

export interface SubscriptionDependencies {
  readonly store: SubscriptionStore;
  /** The present, in milliseconds since 1970. */
  readonly now: () => number;
  /** Called with each recorded payment, and the subscription as it is then. */
  readonly onRecorded: (payment: PaymentRecord, subscription: Subscription) => void;
}

/** What a step comes to. */
export type Ruling =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'busy' }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | Done;

interface Done {
  readonly kind: 'done';
  readonly decision: Decision;
  readonly prorated?: Prorated;
  /** Set: the step is done, and its answer a refusal. */
  readonly refusal?: Refusal | null;
  /** How the payment was decided, and its mails. */
  readonly payment?: PaymentRecord;
  readonly mails?: readonly MailRequest[];
}

/** Ids that a repeated step makes again. */
export const stepIds: Ids = {
  record: (cause) => idOf('bil', cause),
  payment: (cause) => idOf('pay', cause),
};

function idOf(prefix: string, cause: string): string {
  return `${prefix}_${createHash('sha256').update(`${prefix}/${cause}`).digest('hex').slice(0, 32)}`;
}

/** A step that meets more changes than this has met a fault, not contention. */
const maxRounds = 20;

export function subscriptionSteps({ store, now, onRecorded }: SubscriptionDependencies) {
  const present = () => instantOf(Math.floor(now() / 1000));

  function stateOf(at: Snapshot, abandoned: readonly CardSlot[]): SubscriptionState {
    const { status, nextAt, testClock } = at.subscription;
    return { status, nextAt: testClock === null ? nextAt : null, due: isDue(at), charge: chargeOf(at, abandoned) };
  }

  /** Null: the subscription has changed since it was read. @param from the version read; null: it is new */
  async function write(
    step: ChargingStep,
    key: string | null,
    at: Snapshot,
    from: number | null,
    done: Done,
  ): Promise<SubscriptionStepResult | null> {
    const { decision, payment, mails = [] } = done;
    const before = from === null ? null : at.subscription.status;
    const subscription: Subscription = { ...at.subscription, ...decision.changes, version: (from ?? -1) + 1 };
    const answer = answerOf(done);
    const written = await store.write({
      ...{ key, from, actor: step.actor, subscription, records: decision.records },
      ...(step.requestId !== undefined && { requestId: step.requestId }),
      ...(step.limits !== undefined && { limits: step.limits }),
      begins: paymentBegun(subscription, decision),
      payment: payment ?? null,
      mails: [...mails, ...mailsOf(subscription, decision)],
      audit: [
        {
          action: `subscription.${decision.event}`,
          outcome: answer.outcome,
          detail: { from: before, to: subscription.status },
        },
      ],
      result: answer,
    });
    if (written.outcome === 'stale') return null;
    if (written.outcome === 'limited') {
      const { retryAfterSeconds } = written;
      const why = refusalOf('customer_limit_reached', { retryAfterSeconds });
      return { outcome: 'refused', state: null, transitions: [], refusal: why };
    }
    if (written.outcome === 'standing')
      return { outcome: 'done', state: stateOf(at, []), transitions: [], givenUp: true };
    if (payment !== undefined) onRecorded(payment, subscription);
    const transitions = before === subscription.status ? [] : [{ from: before, to: subscription.status }];
    const { actor, traceId } = step;
    for (const moved of transitions)
      log.info('subscription moved', { subscriptionId: subscription.id, ...moved, actor, traceId });
    const after = { subscription, unsettled: unsettledAfter(at, decision), now: at.now };
    return { ...answer, state: stateOf(after, []), transitions };
  }

  return {
    /** Decides and writes, again where the subscription has changed in between. @param key null: the step may be repeated freely */
    async apply(step: ChargingStep, key: string | null, decide: (at: Snapshot) => Ruling) {
      for (let round = 1; round <= maxRounds; round++) {
        const found = await store.read(step.subscriptionId);
        if (found === null) return absent(step.subscriptionId);
        const at = { ...found, now: found.clock ?? present() };
        const still = { state: stateOf(at, found.abandoned), transitions: [] };
        const known = key === null ? null : await store.answerOf(key);
        if (known !== null) return { ...known, ...still };
        const ruling = decide(at);
        if (ruling.kind === 'nothing') return { outcome: 'done', ...still } as const;
        if (ruling.kind === 'busy') return { outcome: 'done', ...still, busy: true } as const;
        if (ruling.kind === 'refused') return { outcome: 'refused', ...still, refusal: ruling.refusal } as const;
        const written = await write(step, key, at, found.subscription.version, ruling);
        if (written?.outcome === 'refused' && written.state === null) return { ...written, ...still };
        if (written !== null) return written;
      }
      throw new Error(`step ${step.key} met another change ${maxRounds} times`);
    },

    /** Creates the subscription. Null: it exists. Refused without a state: its customer's limits leave no room, and nothing is written. */
    async create(
      step: ChargingStep & { readonly testClock: string | null },
      make: (now: string) => Done & { readonly subscription: Subscription },
    ): Promise<SubscriptionStepResult | null> {
      const now = step.testClock === null ? present() : await store.clock(step.testClock);
      if (now === null) throw new Error(`there is no test clock ${step.testClock}`);
      const { subscription, ...done } = make(now);
      return await write(step, step.key, { subscription, unsettled: [], now }, null, done);
    },
  };
}

function answerOf({ decision, prorated, refusal }: Done): StepAnswer {
  if (refusal) return { outcome: 'refused', refusal };
  const begun = decision.changes.pending?.paymentId;
  return { outcome: 'done', ...(begun !== undefined && { begun }), ...(prorated !== undefined && { prorated }) };
}

function absent(subscriptionId: string): SubscriptionStepResult {
  const why: Refusal = { code: 'not_found', detail: `there is no subscription ${subscriptionId}` };
  return { outcome: 'refused', state: null, transitions: [], refusal: why };
}

function unsettledAfter({ unsettled }: Snapshot, { records }: Decision) {
  const changed = new Set(records.map(({ id }) => id));
  return [...unsettled.filter(({ id }) => !changed.has(id)), ...records].filter(
    ({ status }) => status === 'open' || status === 'failed',
  );
}

function chargeOf({ subscription, unsettled }: Snapshot, abandoned: readonly CardSlot[]): ChargeOrder | null {
  const { pending, card, backupCard } = subscription;
  const record = unsettled.find(({ id }) => id === pending?.recordId);
  if (pending === null || record === undefined || card === null) return null;
  const { paymentId, purpose, customerInitiated } = pending;
  const { currency } = subscription.plan;
  const order = {
    paymentId,
    purpose,
    amount: record.charged,
    currency,
    card,
    backupCard,
    abandoned,
    customerInitiated,
  };
  return { ...order, final: finalCards(subscription) };
}

function paymentBegun(subscription: Subscription, { changes, records }: Decision): PaymentBegun | null {
  const { pending } = changes;
  const record = records.find(({ id }) => id === pending?.recordId);
  if (!pending || record === undefined) return null;
  const { customerId, email, gateway, plan } = subscription;
  return { id: pending.paymentId, amount: record.charged, currency: plan.currency, customerId, email, gateway };
}

function mailsOf({ email }: Subscription, { mail, records }: Decision): readonly MailRequest[] {
  const paymentId = records[0]?.paymentId ?? null;
  return mail === null || email === null || paymentId === null ? [] : [{ template: mail, paymentId }];
}
