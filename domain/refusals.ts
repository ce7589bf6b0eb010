/** The sentences of refusals. Postgres (db/functions) decides most refusals as a code with facts; only this file words them. */
import { type Refusal, refusal } from './errors.js';
import { formatMoney } from './money.js';

/** The facts of each code with which SQL may refuse. */
export interface RefusalFacts {
  readonly not_found:
    | { readonly orderId: string }
    | { readonly transferId: string }
    | { readonly paymentId: string }
    | { readonly refundId: string };
  readonly unknown_sku: { readonly sku: string };
  readonly unknown_location: { readonly location: string };
  readonly product_not_active: { readonly sku: string; readonly status: string };
  readonly same_location: { readonly location: string };
  readonly insufficient_stock: {
    readonly sku: string;
    readonly location: string;
    readonly available: number;
    readonly requested: number;
  };
  readonly invalid_order_state: { readonly from: string; readonly to: string };
  /** A transfer's or a payment's transition; or a refusal of the ledger that no client can cause. */
  readonly invalid_state:
    | { readonly from: string; readonly to: string; readonly paymentId?: string }
    | { readonly ledger: unknown };
  /** Minor units that can still be refunded; with `sku`, the units of it that can. */
  readonly over_refund: { readonly available: number; readonly sku?: string; readonly units?: number };
  readonly payment_disputed: { readonly paymentId: string };
  readonly customer_limit_reached: { readonly retryAfterSeconds: number };
  readonly total_mismatch: {
    readonly expected: { readonly amount: number; readonly currency: string };
    readonly computed: { readonly amount: number; readonly currency: string };
  };
  /** The order that has the external reference. */
  readonly already_exists: { readonly orderId: string };
  readonly validation_failed:
    | { readonly rule: 'one_currency' }
    | { readonly rule: 'line_of_order'; readonly sku: string }
    /** `line` counts from 1. */
    | { readonly rule: 'discount_of_line' | 'tax_of_line'; readonly line: number }
    | { readonly rule: 'max_lines' | 'max_total' | 'max_received'; readonly max: number };
}
export type FactualCode = keyof RefusalFacts;

const details: { readonly [Code in FactualCode]: (facts: RefusalFacts[Code]) => string } = {
  not_found: (facts) => {
    if ('orderId' in facts) return `there is no order ${facts.orderId}`;
    if ('paymentId' in facts) return `there is no payment ${facts.paymentId}`;
    if ('refundId' in facts) return `there is no refund ${facts.refundId}`;
    return `there is no transfer ${facts.transferId}`;
  },
  unknown_sku: ({ sku }) => `there is no product ${sku}`,
  unknown_location: ({ location }) => `there is no location ${location}`,
  product_not_active: ({ sku, status }) => `product ${sku} is ${status}`,
  same_location: () => 'source and destination are the same',
  insufficient_stock: ({ available, requested }) =>
    `insufficient stock: available=${available}, requested=${requested}`,
  invalid_order_state: ({ from, to }) => `an order that is ${from} cannot become ${to}`,
  invalid_state: (facts) =>
    'ledger' in facts
      ? `the stock ledger refused: ${JSON.stringify(facts.ledger)}`
      : `a ${facts.paymentId === undefined ? 'transfer' : 'payment'} that is ${facts.from} cannot become ${facts.to}`,
  over_refund: ({ available, sku, units }) =>
    sku === undefined ? `only ${available} minor units can be refunded` : `only ${units} of ${sku} can be refunded`,
  customer_limit_reached: ({ retryAfterSeconds }) =>
    `the customer has reached a limit; there may be room in ${retryAfterSeconds} s`,
  payment_disputed: ({ paymentId }) => `payment ${paymentId} is disputed and cannot be refunded`,
  total_mismatch: ({ expected, computed }) =>
    `the order comes to ${formatMoney(computed)}, not ${formatMoney(expected)}`,
  already_exists: ({ orderId }) => `order ${orderId} has this external reference`,
  validation_failed: (facts) => {
    switch (facts.rule) {
      case 'discount_of_line':
        return `the discount of line ${facts.line} is over the subtotal of the line`;
      case 'tax_of_line':
        return `the included tax of line ${facts.line} is over the amount that includes it`;
      case 'one_currency':
        return 'an order has one currency';
      case 'line_of_order':
        return `the order has no line of ${facts.sku}`;
      case 'max_lines':
        return `an order has at most ${facts.max} lines`;
      case 'max_total':
        return `the total is over ${facts.max} minor units`;
      case 'max_received':
        return `only ${facts.max} were sent`;
    }
  },
};

/** The members of a problem document besides its detail. */
const extensions: { readonly [Code in FactualCode]?: (facts: RefusalFacts[Code]) => Refusal['extensions'] } = {
  unknown_sku: (facts) => facts,
  unknown_location: (facts) => facts,
  product_not_active: ({ sku }) => ({ sku }),
  same_location: (facts) => facts,
  insufficient_stock: (facts) => facts,
  invalid_order_state: (facts) => facts,
  total_mismatch: (facts) => facts,
  already_exists: (facts) => facts,
  over_refund: (facts) => facts,
  payment_disputed: (facts) => facts,
  customer_limit_reached: (facts) => facts,
  invalid_state: (facts) => ('ledger' in facts ? undefined : facts),
};

/** The sentence of a refusal. */
export function detailOf<Code extends FactualCode>(code: Code, facts: RefusalFacts[Code]): string {
  return details[code](facts);
}

/** A refusal with its sentence and the facts that a client sees. */
export function refusalOf<Code extends FactualCode>(code: Code, facts: RefusalFacts[Code]): Refusal {
  return refusal(code, detailOf(code, facts), extensions[code]?.(facts));
}

/** The facts that a row or a stored result keeps with a refusal's code. */
export type StoredFacts = RefusalFacts[FactualCode];

/** A refusal from Postgres. Results stored by earlier releases contain their sentence instead of facts. */
export type DecidedRefusal = Refusal & { readonly facts?: StoredFacts };

/** The refusal with its sentence. A stored sentence is kept, and so is the detail of a later release's code. */
export function presentRefusal({ facts, ...brought }: DecidedRefusal): Refusal {
  return facts !== undefined && isFactualCode(brought.code) ? refusalOf(brought.code, facts) : brought;
}

/** The failure of a row, worded from the facts of a refusal or from its stored detail. */
export function presentFailure(row: {
  readonly failureCode: string | null;
  readonly failureDetail: string | null;
  /** Absent on payments and replenishments, which SQL does not refuse. */
  readonly failureFacts?: StoredFacts | null;
}): { readonly code: string; readonly detail: string } | null {
  const { failureCode: code, failureDetail: detail, failureFacts: facts = null } = row;
  if (code === null) return null;
  return { code, detail: facts !== null && isFactualCode(code) ? detailOf(code, facts) : (detail ?? '') };
}

/** Whether a code from the database has a sentence here. */
export function isFactualCode(code: string): code is FactualCode {
  return Object.hasOwn(details, code);
}
