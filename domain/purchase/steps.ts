/** The steps of a purchase, their undo, and the record of the steps done. */
import type { OrderStep, OrderStepResult, PaymentRecord } from '../orders/steps.js';
import type { AuthorizeAnswer, CaptureAnswer } from '../payments/answers.js';
import type { GatewayName } from '../payments/gateways.js';
import type { CardSlot } from '../payments/states.js';
import type { Fault } from '../retry.js';
import type { Undone } from './outcomes.js';

/** One payment on one card. Its idempotency keys at the processor consist of `paymentId` and `card`. */
export interface CardOperation {
  readonly paymentId: string;
  readonly card: CardSlot;
  /** The processor of the payment; absent in recorded histories: the sandbox. */
  readonly gateway?: GatewayName;
  readonly token: string;
  /** Minor units. */
  readonly amount: number;
  readonly currency: string;
  /** The reference in the processor's books: the order's id, else the payment's. */
  readonly reference: string;
  readonly customerId: string | null;
  readonly traceparent: string;
  /** The customer at the processor that the card is stored with; null where it stores cards without one. Absent: not stored. */
  readonly stored?: { readonly customer: string | null };
  /** Nobody is there to answer the card's bank, and no score or limit applies: a renewal. */
  readonly merchantInitiated?: true;
}

/** `heldTaskMs`: how long the call held up a workflow task. */
export type Authorized = AuthorizeAnswer & { readonly heldTaskMs: number };

/** The steps done of one card's charge. Null: not attempted, or not answered. */
export interface CardRecord {
  score: number | null;
  authorized: Authorized | null;
  captured: CaptureAnswer | null;
  /** The fault of the first step without an answer; null where that step was not attempted, or every step has its answer. */
  fault: Fault | null;
  /** Whether the processor may hold money of this card: set before it is asked, reset by the undo. */
  mayHoldMoney: boolean;
}

/** The steps done of a purchase. A recorded step is not repeated. */
export interface PurchaseRecord {
  /** The result of the step that reserves. */
  reserved: OrderStepResult | null;
  /** The charge of the primary card. */
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

/** One card and the progress of its charge. */
export interface CardCharge {
  readonly operation: CardOperation;
  readonly record: CardRecord;
}

/** The steps that take money from one card. Null: no answer, so the step may have taken effect or not. */
export interface CardSteps {
  /** The risk, 0 to 1. */
  score(card: CardCharge): Promise<number | null>;
  authorize(card: CardCharge): Promise<Authorized | null>;
  /** The last point at which a cancel can win. False: the money is not taken. */
  mayCapture(authorized: Authorized): Promise<boolean>;
  capture(card: CardCharge, authorizationId: string): Promise<CaptureAnswer | null>;
}

/** The steps of a charge on one card after the other. Null: this step is left to the workflow, and the charge stops. */
export interface ChargeSteps extends CardSteps {
  /** The first attempt at a card's charge, whose record the steps continue. */
  firstAttempt(operation: CardOperation): Promise<CardRecord | null>;
  /** Gives a card up for good, before its money is returned. False where a lost task has decided the payment: nothing may be undone. */
  giveUp(card: CardSlot, soFar: PaymentRecord): Promise<boolean | null>;
  /** Whether a cancel is queued. */
  cancelWanted(): boolean;
  now(): Date;
}

/** The step that settles a purchase. */
type Settling = Omit<Extract<OrderStep, { step: 'settle' }>, 'step'>;

/** The steps of a whole purchase. Null: this step is left to the workflow, and the purchase stops. */
export interface PurchaseSteps extends ChargeSteps {
  /** Holds every line and records the payment that starts. */
  reserve(): Promise<OrderStepResult | null>;
  /** Confirms the holds and records the payment, in one transaction. */
  settle(step: Settling): Promise<OrderStepResult | null>;
  /**
   * Whether a payment that cannot settle because its card was given up is refused, and its order stays open. False where a
   * recorded history ends the order.
   */
  refusesGivenUpCards(): boolean;
}

/** The money that a payment's cards may hold, on one card at a time. */
export interface HeldMoney {
  /** The card being charged; null before the first one. */
  card: CardCharge | null;
  /** Returns the card's money, or waits until a person resolves the review as done. Does nothing where it holds none. */
  giveBack(): Promise<void>;
}

/** Registers each undo before its step, since an unanswered step may have taken effect. */
export interface PurchaseUndo {
  /** Registers ending the order and giving its goods back. */
  goods(): void;
  /** Registers returning the money that a card holds. */
  money(): HeldMoney;
  /** Carries out every registered undo, newest first. */
  all(why: Undone): Promise<void>;
}
