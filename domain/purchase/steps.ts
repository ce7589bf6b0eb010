/** The steps of a purchase, what undoes them, and the record of those that are done. */
import type { OrderStep, OrderStepResult, PaymentRecord } from '../orders/steps.js';
import type { AuthorizeAnswer, CaptureAnswer } from '../payments/answers.js';
import type { CardSlot } from '../payments/states.js';
import type { Fault } from '../retry.js';
import type { Undone } from './outcomes.js';

/** One payment on one card. Its idempotency keys at the processor are made of `paymentId` and `card`. */
export interface CardOperation {
  readonly paymentId: string;
  readonly card: CardSlot;
  readonly token: string;
  /** Minor units. */
  readonly amount: number;
  readonly currency: string;
  /** What the processor's books show: the order's id, else the payment's. */
  readonly reference: string;
  readonly customerId: string | null;
  readonly traceparent: string;
}

/** `heldTaskMs`: for how long a workflow task was held up until the answer came. */
export type Authorized = AuthorizeAnswer & { readonly heldTaskMs: number };

/** What is done of the charge of one card. Null: not asked, or not answered. */
export interface CardRecord {
  score: number | null;
  authorized: Authorized | null;
  captured: CaptureAnswer | null;
  /** Why the first step without an answer has none; null where it was left for later, or none is missing. */
  fault: Fault | null;
  /** Whether the processor may hold money of this card: from before it is asked until that is undone. */
  mayHoldMoney: boolean;
}

/** What is done of a purchase. A step that is recorded is not repeated. */
export interface PurchaseRecord {
  /** The answer to reserving. */
  reserved: OrderStepResult | null;
  /** The charge of the first card. */
  charge: CardRecord | null;
  settled: OrderStepResult | null;
}

export const nothingCharged = (): CardRecord => ({
  score: null,
  authorized: null,
  captured: null,
  fault: null,
  mayHoldMoney: false,
});
export const nothingDone = (): PurchaseRecord => ({ reserved: null, charge: null, settled: null });

/** One card while it is charged. */
export interface CardCharge {
  readonly operation: CardOperation;
  readonly record: CardRecord;
}

/** The steps that take money from one card. Null: no answer, so it may have happened or not. */
export interface CardSteps {
  /** The risk, 0 to 1. */
  score(card: CardCharge): Promise<number | null>;
  authorize(card: CardCharge): Promise<Authorized | null>;
  /** The last moment at which a cancel can win. False: the money is not taken. */
  mayCapture(authorized: Authorized): Promise<boolean>;
  capture(card: CardCharge, authorizationId: string): Promise<CaptureAnswer | null>;
}

/** The steps of a charge on one card after the other. Null: this step is left to somebody else, and the charge stops. */
export interface ChargeSteps extends CardSteps {
  /** As much of a card's charge as can be done at once. */
  firstAttempt(operation: CardOperation): Promise<CardRecord | null>;
  /**
   * Gives a card up for good, before what it holds is undone. False where the payment is decided already: a task that was
   * lost has settled it, and nothing may be undone.
   */
  giveUp(card: CardSlot, soFar: PaymentRecord): Promise<boolean | null>;
  /** Whether somebody wants to cancel. */
  cancelWanted(): boolean;
  now(): Date;
}

/** The step that settles a purchase. */
type Settling = Omit<Extract<OrderStep, { step: 'settle' }>, 'step'>;

/** The steps of a whole purchase. Null: this step is left to somebody else, and the purchase stops. */
export interface PurchaseSteps extends ChargeSteps {
  /** Holds every line for the payment, which is recorded with it. */
  reserve(): Promise<OrderStepResult | null>;
  /** Sells what is held and records the payment, in one transaction. */
  settle(step: Settling): Promise<OrderStepResult | null>;
}

/** What the cards of a payment may hold. One card at a time holds anything. */
export interface HeldMoney {
  /** The card that is being charged; null before the first one. */
  card: CardCharge | null;
  /** Returns what the card holds by now, or has a person take it as returned. Does nothing where it holds nothing. */
  giveBack(): Promise<void>;
}

/** Where each undo is registered before its deed. A deed that was not answered may have happened. */
export interface PurchaseUndo {
  /** Registers that the order ends and gives its goods back. */
  goods(): void;
  /** Registers that what a card holds goes back. */
  money(): HeldMoney;
  /** Carries out what is registered, newest first. */
  all(why: Undone): Promise<void>;
}
