/** Runs a purchase with scripted steps, and throws if a step runs before its undo is registered. */
import type { OrderState, OrderStepResult } from '../domain/orders/steps.js';
import type { CardSlot } from '../domain/payments/states.js';
import type { PurchaseOutcome } from '../domain/purchase/outcomes.js';
import { purchase } from '../domain/purchase/purchase.js';
import {
  type CardCharge,
  type CardOperation,
  nothingCharged,
  nothingDone,
  type PurchaseRecord,
  type PurchaseSteps,
  type PurchaseUndo,
} from '../domain/purchase/steps.js';

const customer = { customerId: 'cus_1', email: 'a@example.com' };
const facts = { orderId: 'ord_1', ...customer, actor: 'test', traceId: 'trace', traceparent: '' };
export const confirming: OrderState = {
  status: 'confirming',
  totalAmount: 1000,
  currency: 'USD',
  expiresInMs: null,
  inFlight: { paymentId: 'pay_1', choice: { cardToken: 'tok_1', backupCardToken: 'tok_2' }, abandoned: [] },
  refused: null,
};
/** The answer of a step that left the order in this state. */
export const is = (state: Partial<OrderState>): OrderStepResult => ({
  outcome: 'done',
  state: { ...confirming, ...state },
  transitions: [],
});
export const refusedAs = (code: 'insufficient_stock' | 'internal', state: OrderState | null): OrderStepResult => ({
  outcome: 'refused',
  state,
  transitions: [],
  refusal: { code, detail: '' },
});
/** A lost task has given the primary card up. */
export const primaryGivenUp: OrderState = {
  ...confirming,
  inFlight: { paymentId: 'pay_1', choice: { cardToken: 'tok_1', backupCardToken: 'tok_2' }, abandoned: ['primary'] },
};
export const oneCard = is({ inFlight: { paymentId: 'pay_1', choice: { cardToken: 'tok_1' }, abandoned: [] } });
const declined = { kind: 'declined', code: 'payment_declined', declineCode: 'generic' } as const;

/** How a call to the processor ends. `unanswered`: it never arrived. `lost`: it was carried out, but its answer was lost. */
export type Answer = 'done' | 'declined' | 'unanswered' | 'lost';
interface CardScript {
  readonly score?: number | null;
  readonly authorize?: Answer;
  readonly capture?: Answer;
}
export interface Script extends CardScript {
  readonly backup?: CardScript;
  readonly reserve?: OrderStepResult | null;
  readonly cancel?: boolean;
  readonly giveUp?: boolean;
  /** The single activity, which leaves giving up and undoing to the workflow. */
  readonly inline?: true;
  readonly settle?: OrderStepResult | null;
  /** False: a recorded history ends the order if its card was given up. */
  readonly refusesGivenUpCards?: boolean;
}

/** A processor that repeats its first answer to each key. */
class Processor {
  readonly holds = new Map<CardSlot, 'authorized' | 'captured'>();
  private readonly decided = new Map<string, 'done' | 'declined'>();

  /** Answers as scripted, or repeats its earlier decision for the call. */
  call(card: CardSlot, kind: 'authorized' | 'captured', script: Answer): 'done' | 'declined' | null {
    if (script === 'unanswered') return null;
    const key = `${card}/${kind}`;
    const answer = this.decided.get(key) ?? (script === 'declined' ? 'declined' : 'done');
    if (!this.decided.has(key) && answer === 'done') this.holds.set(card, kind);
    this.decided.set(key, answer);
    return script === 'lost' ? null : answer;
  }
}

/** Runs a purchase and logs its steps. Throws if a step runs before its undo is registered. */
export class Run {
  readonly log: string[] = [];
  /** Of each card, in the order they were scored. */
  readonly operations: CardOperation[] = [];
  private readonly registered: ('goods' | 'money')[] = [];
  private money: { card: CardCharge | null; giveBack: () => Promise<void> } | null = null;

  constructor(
    private readonly script: Script = {},
    readonly record: PurchaseRecord = nothingDone(),
    readonly processor = new Processor(),
  ) {}

  go(): Promise<PurchaseOutcome> {
    return purchase(facts, this.steps(), this.undo(), this.record);
  }

  private call({ operation, record }: CardCharge, kind: 'authorized' | 'captured', script: Answer) {
    if (!record.mayHoldMoney || this.money?.card?.operation !== operation || !this.registered.includes('money'))
      throw new Error(`nothing would return what is ${kind}`);
    return this.processor.call(operation.card, kind, script);
  }

  private of({ card }: CardOperation): CardScript {
    return card === 'backup' ? (this.script.backup ?? {}) : this.script;
  }

  private steps(): PurchaseSteps {
    const { script, log } = this;
    const given = <T>(value: T | undefined, otherwise: T) => (value === undefined ? otherwise : value);
    return {
      reserve: async () => {
        log.push('reserve');
        if (!this.registered.includes('goods')) throw new Error('nothing would give the goods back');
        return given(script.reserve, is({}));
      },
      firstAttempt: async ({ card }) => (script.inline && card === 'backup' ? null : nothingCharged()),
      score: async ({ operation }) => {
        log.push(`score ${operation.card}`);
        this.operations.push(operation);
        return given(this.of(operation).score, 0.1);
      },
      authorize: async (card) => {
        log.push(`authorize ${card.operation.card}`);
        const answer = this.call(card, 'authorized', this.of(card.operation).authorize ?? 'done');
        const authorized = { kind: 'authorized', authorizationId: `auth_${card.operation.card}` } as const;
        return answer && { ...(answer === 'declined' ? declined : authorized), heldTaskMs: 0 };
      },
      mayCapture: async () => !script.cancel,
      capture: async (card) => {
        log.push(`capture ${card.operation.card}`);
        const answer = this.call(card, 'captured', this.of(card.operation).capture ?? 'done');
        return answer && (answer === 'declined' ? declined : { kind: 'captured' });
      },
      giveUp: async (card) => {
        log.push(`give up ${card}`);
        return script.inline ? null : given(script.giveUp, true);
      },
      settle: async ({ key }) => {
        log.push(`settle ${key}`);
        return given(script.settle, is({ status: 'confirmed', inFlight: null }));
      },
      refusesGivenUpCards: () => given(script.refusesGivenUpCards, true),
      cancelWanted: () => script.cancel === true,
      now: () => new Date(0),
    };
  }

  private undo(): PurchaseUndo {
    const giveBack = async (card: CardCharge | null) => {
      if (this.script.inline || !card?.record.mayHoldMoney) return;
      this.log.push(`return money ${card.operation.card}`);
      this.processor.holds.delete(card.operation.card);
    };
    return {
      goods: () => {
        this.registered.push('goods');
      },
      money: () => {
        this.registered.push('money');
        const money = { card: null as CardCharge | null, giveBack: () => giveBack(money.card) };
        this.money = money;
        return money;
      },
      all: async ({ kind }) => {
        for (const undo of this.registered.reverse())
          if (undo === 'money') await this.money?.giveBack();
          else this.log.push(`end order, ${kind}`);
      },
    };
  }
}
