/** Refunds: their states, their steps, and what each one returns. Amounts in minor units. */
import type { Currency } from '../money.js';
import { shareOfUnits } from '../orders/money.js';
import type { StepBase, StepResult } from '../steps.js';
import type { GatewayName } from './gateways.js';

export const refundStatuses = ['pending', 'succeeded', 'failed'] as const;
export type RefundStatus = (typeof refundStatuses)[number];

/** Who made it: a client of ours, or a person in the processor's own pages. */
export type RefundOrigin = 'holdfast' | 'processor';

/** Units of one line that a refund returns, and the money for them. */
export interface RefundLine {
  /** Of the order, from 1. */
  readonly line: number;
  readonly sku: string;
  readonly location: string;
  readonly quantity: number;
  readonly amount: number;
  /** Units that came back to the stock; absent until the refund has succeeded. */
  readonly restocked?: number;
}

/** What a client asks to be returned. Without amount, lines and charges: all that is left. */
export interface RefundRequest {
  /** Null: the sum of the lines and charges. */
  readonly amount: number | null;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
  /** All charges of the order with their taxes. */
  readonly charges: boolean;
  /** Whether the units of the lines come back to the stock. */
  readonly restock: boolean;
}

/** What can still be refunded of a line: units, and the money for all of them. */
export interface RefundableLine {
  readonly line: number;
  readonly sku: string;
  readonly location: string;
  readonly units: number;
  readonly money: number;
}

/** What can still be refunded of an order. */
export interface Refundable {
  /** What was captured and is neither refunded, nor reserved by another refund, nor disputed. */
  readonly left: number;
  readonly total: number;
  readonly lines: readonly RefundableLine[];
  /** What was paid for the charges; 0 where there are none. */
  readonly charges: number;
  readonly chargesRefunded: boolean;
}

export interface PlannedRefund {
  readonly amount: number;
  readonly lines: readonly RefundLine[];
  readonly charges: boolean;
}

export type RefundPlan =
  | ({ readonly kind: 'planned' } & PlannedRefund)
  | { readonly kind: 'over_refund' }
  | { readonly kind: 'unknown_line'; readonly sku: string };

/**
 * What a refund returns. Postgres decides by the same rules (db/functions/13_refunds.sql, refund_plan), and
 * test/database/refunds/plan.test.ts compares both.
 */
export function planRefund(request: RefundRequest, order: Refundable): RefundPlan {
  const all = request.amount === null && request.lines.length === 0 && !request.charges;
  const charges = (all || request.charges) && order.charges > 0 && !order.chargesRefunded;
  const asked = new Map<string, number>();
  for (const { sku, quantity } of request.lines) asked.set(sku, (asked.get(sku) ?? 0) + quantity);
  const unknown = [...asked.keys()].sort().find((sku) => order.lines.every((line) => line.sku !== sku));
  if (unknown !== undefined) return { kind: 'unknown_line', sku: unknown };

  const lines: RefundLine[] = [];
  for (const { line, sku, location, units, money } of order.lines) {
    const quantity = Math.min(units, all ? units : (asked.get(sku) ?? 0));
    if (quantity === 0) continue;
    asked.set(sku, (asked.get(sku) ?? 0) - quantity);
    lines.push({ line, sku, location, quantity, amount: shareOfUnits(money, units, 0, quantity) });
  }
  if (!all && [...asked.values()].some((missing) => missing > 0)) return { kind: 'over_refund' };
  const amount = all ? order.left : (request.amount ?? sumOf(lines, charges, order));
  const nothing = amount === 0 && (lines.length === 0 || (all && order.total > 0));
  const twice = request.charges && order.charges > 0 && !charges;
  return amount > order.left || nothing || twice
    ? { kind: 'over_refund' }
    : { kind: 'planned', amount, lines, charges };
}

/**
 * What a refund that failed returns when it is tried again: the same units, for their share of what is left by now. An amount
 * that overrode the shares stays. Postgres decides by the same rules (refund_retry).
 */
export function replanRefund(failed: PlannedRefund, order: Refundable): RefundPlan {
  const lines: RefundLine[] = [];
  for (const line of failed.lines) {
    const { units = 0, money = 0 } = order.lines.find((each) => each.line === line.line) ?? {};
    if (line.quantity > units) return { kind: 'over_refund' };
    lines.push({ ...line, amount: shareOfUnits(money, units, 0, line.quantity) });
  }
  const { charges } = failed;
  const overridden = failed.amount !== sumOf(failed.lines, charges, order);
  const amount = overridden ? failed.amount : sumOf(lines, charges, order);
  return amount > order.left || (charges && order.chargesRefunded)
    ? { kind: 'over_refund' }
    : { kind: 'planned', amount, lines, charges };
}

function sumOf(lines: readonly RefundLine[], charges: boolean, order: Refundable): number {
  return lines.reduce((total, { amount }) => total + amount, charges ? order.charges : 0);
}

/**
 * Each step is one transaction over the refund, its order, its payment, the stock and the outbox (db/refunds/store.ts). A
 * repeated step changes nothing and returns the refund as it is.
 * - `begin` reserves the amount and the units, or refuses.
 * - `accept` records the processor's reference of a refund that it has not settled yet.
 * - `settle` books the refund, brings the goods back, and queues the mail.
 * - `fail` frees the amount and the units. A refund may fail after it succeeded: then a review is opened.
 * - `retry` reserves them again for another attempt; the units' share is that of what is left by then.
 */
export type RefundStep = StepBase & { readonly refundId: string } & (
    | {
        readonly step: 'begin';
        /** One of the two; the other is null. */
        readonly orderId: string | null;
        readonly paymentId: string | null;
        readonly request: RefundRequest;
        readonly reason: string;
        /** RFC 3339: when the client asked. */
        readonly requestedAt: string;
      }
    | { readonly step: 'accept'; readonly attempt: number; readonly providerReference: string }
    | { readonly step: 'settle'; readonly attempt: number; readonly providerReference: string | null }
    | {
        readonly step: 'fail';
        /** Null: the newest. */
        readonly attempt: number | null;
        readonly providerReference: string | null;
        readonly failure: RefundFailure;
      }
    | { readonly step: 'retry'; readonly attempt: number }
  );

export interface RefundFailure {
  readonly code: string;
  readonly detail: string;
}

/** The refund after a step. */
export interface RefundState {
  readonly status: RefundStatus;
  readonly amount: number;
  readonly currency: Currency;
  readonly orderId: string | null;
  /** Null: an order that was paid outside Holdfast. */
  readonly paymentId: string | null;
  /** Null: no processor is asked. */
  readonly gateway: GatewayName | null;
  /** The processor's id of the payment. */
  readonly authorizationId: string | null;
  /** Attempts that are over. */
  readonly attempts: number;
  readonly restocked: boolean;
  readonly failure: RefundFailure | null;
}

export interface RefundTransition {
  readonly from: RefundStatus | null;
  readonly to: RefundStatus;
}

export type RefundStepResult = StepResult<RefundState, RefundTransition>;

/** The key of a step, for logs and reviews. */
export const refundStepKey = (refundId: string, step: RefundStep['step'], attempt: number): string =>
  `refund/${refundId}/${step}/${attempt}`;

/** One attempt at a refund at the processor. Its idempotency key is made of `refundId` and `attempt`. */
export interface RefundOperation {
  readonly refundId: string;
  readonly attempt: number;
  readonly gateway: GatewayName;
  readonly paymentId: string;
  readonly authorizationId: string;
  readonly amount: number;
  readonly currency: Currency;
  readonly traceparent: string;
  /** RFC 3339: when the client asked for the refund. Absent in recorded histories. */
  readonly requestedAt?: string;
}

/** What the processor says about an attempt. `over_refund`, `disputed`: it refuses, and nothing was returned. */
export type RefundAnswer =
  | { readonly kind: 'succeeded'; readonly providerReference: string }
  | { readonly kind: 'pending'; readonly providerReference: string }
  | {
      readonly kind: 'failed';
      readonly providerReference: string | null;
      readonly code: string;
      readonly detail: string;
    }
  | { readonly kind: 'over_refund' }
  | { readonly kind: 'disputed' };
