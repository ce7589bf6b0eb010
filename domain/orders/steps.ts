/**
 * The steps of an order and their results. Each step is one transaction over the order, its stock, its payment and its
 * outbox rows (db/orders/store.ts).
 */

import type { Currency } from '../money.js';
import type { GatewayName } from '../payments/gateways.js';
import type { CustomerLimits } from '../payments/limits.js';
import type { CardSlot, PaymentAttempt, PaymentStatus } from '../payments/states.js';
import type { AskedBy, StepBase, StepResult } from '../steps.js';
import type { SubscriptionMail } from '../subscriptions/states.js';
import type { OrderDetails } from './details.js';
import type { Charge } from './money.js';
import type { OrderStatus } from './states.js';

/** A payment's row. Amounts in minor units; `fraudScore` 0 to 1. */
export interface PaymentRecord {
  readonly id: string;
  readonly status: PaymentStatus;
  readonly amount: number;
  readonly currency: string;
  readonly orderId: string | null;
  readonly customerId: string | null;
  readonly email: string | null;
  readonly reference: string | null;
  /** Its processor. Absent in recorded histories: the sandbox. */
  readonly gateway?: GatewayName;
  /** RFC 3339: when the client asked for it; absent on an order's payment. */
  readonly requestedAt?: string;
  readonly cardUsed: CardSlot | null;
  readonly fraudScore: number | null;
  readonly attempts: readonly PaymentAttempt[];
  readonly providerReference: string | null;
  readonly failure: { readonly code: string; readonly detail: string } | null;
  /** Who asked for it. Absent in recorded histories, and on an order's payment, whose step names them. */
  readonly by?: AskedBy;
}

/** A mail to queue. Its contents are read when it is sent. */
export interface MailRequest {
  readonly template: 'receipt' | 'insufficient_funds' | SubscriptionMail;
  readonly paymentId: string;
}

/** How an order is paid: by card (tokens of the processor), or outside Holdfast. */
export type PaymentChoice =
  | { readonly cardToken: string; readonly backupCardToken?: string }
  | { readonly method: 'external' };

/** A payment by card that a step starts. */
export interface PendingPayment {
  readonly paymentId: string;
  readonly choice: Exclude<PaymentChoice, { method: 'external' }>;
  /** Its processor, which the worker adds to the step. The result has the one that the row has. Absent in recorded histories: the sandbox. */
  readonly gateway?: GatewayName;
}

/** A payment that has started and is undecided. Its abandoned cards can settle nothing any more. */
export interface PaymentInFlight extends PendingPayment {
  readonly abandoned: readonly CardSlot[];
}

/** A recorded payment's status and failure. */
export interface PaymentStanding {
  readonly status: PaymentStatus;
  readonly failure: { readonly code: string; readonly detail: string } | null;
}

/** A price, in minor units. */
interface Price {
  readonly amount: number;
  readonly currency: Currency;
}

/** What a client says about the money of a line. Amounts in minor units. */
export interface GivenLineMoney {
  /** Absent: the catalogue's price. */
  readonly unitPrice?: Price;
  /** Of the whole line; absent: 0. */
  readonly discount?: number;
  readonly tax?: number;
  readonly name?: string;
}

/** What a client says about the money of an order besides its lines. */
export interface GivenOrderMoney {
  readonly charges: readonly Charge[];
  readonly taxesIncluded: boolean;
  /** The order is refused if it comes to another total; null: every total is accepted. */
  readonly expectedTotal: Price | null;
}

interface StepLine extends GivenLineMoney {
  readonly sku: string;
  readonly quantity: number;
  readonly location: string;
  readonly reservationId: string;
}

/**
 * - `open` creates the order: `draft` without lines; else every line is reserved (`reserved`, or `confirming` at once), or
 *   none is (`failed`). Where every lacking SKU has an active supplier the order becomes `awaiting_restock`: available stock
 *   is held without an expiry, and the result has the shortages. An invalid order (unknown SKU ...) is refused and leaves no
 *   row.
 * - `await_supplier` records the references of the suppliers' reservations.
 * - `restock` receives the goods that one line lacked, with the supplier's reference, and holds the whole line. With the last
 *   such line the order becomes `reserved` and its holds get their expiry, or it continues to `confirming`.
 * - `give_up_restock` stops receiving goods for the order, before the saga cancels the suppliers' reservations. The result
 *   has the lines that are held whole by then. Refused unless the order is `awaiting_restock`.
 * - `release` cancels the holds of an order that gave up its restock and has not ended yet.
 * - `add_line` reserves one more line and renews the expiry of all holds.
 * - `begin_confirm` removes the expiry of the holds and records the payment that starts: reserved → confirming. An overdue
 *   order becomes `expired` instead. For an order that is confirming already, the result has the payment in flight.
 * - `abandon_card` gives up a card of the payment in flight, so that it can settle nothing; it comes before its
 *   authorization is undone. Refused once the payment is decided.
 * - `refuse_payment` moves the order back to `reserved`, to `failed` at the last refusal, to `expired` if it is overdue.
 * - `settle` confirms the holds and records the payment: confirming → confirmed. Refused for a card that was given up.
 * - `close` cancels every hold and ends the order as `to`. A payment in flight is decided by the same step.
 * - `expire` ends an overdue order; else it only returns how much time is left.
 * - `note` adds an entry to the timeline and changes nothing.
 *
 * `limits`: the customer's, which the worker adds to steps that may start a payment. Where one is reached, `begin_confirm` is
 * refused, and an order that would be paid at once stays `reserved`.
 *
 * A refused `settle` or `close` is not kept under its key: repeated, it is decided anew.
 */
export type OrderStep = StepBase & { readonly orderId: string; readonly limits?: CustomerLimits } & (
    | {
        readonly step: 'open';
        /** RFC 3339: when the client asked. Absent on orders started before requests carried it. */
        readonly requestedAt?: string;
        readonly workflowId: string;
        readonly customer: { readonly id?: string; readonly name?: string; readonly email?: string } | null;
        readonly lines: readonly StepLine[];
        /** Absent: no charges, and every total is accepted. */
        readonly money?: GivenOrderMoney;
        /** Absent: none. */
        readonly details?: OrderDetails;
        readonly holdSeconds: number;
        readonly draftSeconds: number;
        readonly confirming: boolean;
        /** With `confirming`; null where nothing is paid by card. */
        readonly payment: PendingPayment | null;
      }
    | { readonly step: 'add_line'; readonly line: StepLine; readonly holdSeconds: number }
    | { readonly step: 'await_supplier'; readonly reference: string }
    | {
        readonly step: 'restock';
        /** Of the order, from 1. */
        readonly line: number;
        /** The quantity received. */
        readonly quantity: number;
        readonly reference: string;
        /** The hold of the whole line. */
        readonly reservationId: string;
        readonly holdSeconds: number;
        readonly confirming: boolean;
        readonly payment: PendingPayment | null;
        readonly reason: string;
      }
    | { readonly step: 'give_up_restock' }
    | { readonly step: 'release'; readonly reason: string }
    | { readonly step: 'begin_confirm'; readonly payment: PendingPayment | null }
    | { readonly step: 'abandon_card'; readonly paymentId: string; readonly card: CardSlot }
    | {
        readonly step: 'refuse_payment';
        readonly maxRefusals: number;
        readonly payment: PaymentRecord;
        readonly reason: string;
        readonly failure: { readonly code: string; readonly detail: string };
        readonly mails: readonly MailRequest[];
      }
    | { readonly step: 'settle'; readonly payment: PaymentRecord | null; readonly mails: readonly MailRequest[] }
    | {
        readonly step: 'close';
        readonly to: 'cancelled' | 'failed';
        readonly reason: string;
        readonly failure: { readonly code: string; readonly detail: string } | null;
        readonly payment: PaymentRecord | null;
      }
    | { readonly step: 'expire' }
    | { readonly step: 'note'; readonly reason: string }
  );

/**
 * The key of a step.
 * @param cause what caused the step: the id of a command or a payment, a line. A repeated workflow task, perhaps with other
 * commands before it, gives the step the same key, so the step is done once.
 */
export const orderStepKey = (orderId: string, name: string, cause: string): string =>
  `order/${orderId}/${name}/${cause}`;

/** The order after the step. */
export interface OrderState {
  readonly status: OrderStatus;
  readonly totalAmount: number;
  readonly currency: string;
  /** Until its holds (or the draft) expire; null where they do not. May be negative. */
  readonly expiresInMs: number | null;
  /** While it is confirming; null where nothing is paid by card. */
  readonly inFlight: PaymentInFlight | null;
  /** Why its last payment was refused. */
  readonly refused: { readonly code: string; readonly detail: string } | null;
}

export interface OrderTransition {
  readonly from: OrderStatus | null;
  readonly to: OrderStatus;
}

/** The quantity that one line of an order lacks, and its supplier. */
export interface Shortage {
  /** Of the order, from 1. */
  readonly line: number;
  readonly sku: string;
  readonly location: string;
  readonly requested: number;
  /** The quantity that was available for this line and is held. */
  readonly available: number;
  /** `requested` less `available`. */
  readonly quantity: number;
  readonly supplierId: string;
  /** The supplier's address; null: the sandbox. */
  readonly url: string | null;
  /** The id of the line's future hold, for the whole quantity. */
  readonly reservationId: string;
}

/** Results that only some steps have. */
export interface OrderStepDetails {
  /** Only where the customer's limits kept the payment from starting: the order is `reserved`, and there may be room then. */
  readonly retryAfterSeconds?: number;
  /** Only of an `open` that lacks stock. */
  readonly shortages?: readonly Shortage[];
  /** Only of `give_up_restock`: the lines, from 1, that are held whole. */
  readonly received?: readonly number[];
}

export type OrderStepResult = StepResult<OrderState, OrderTransition, OrderStepDetails>;
