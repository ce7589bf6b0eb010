/**
 * The sentences of refusals. A refusal is decided as a code and its facts, most of them in Postgres (db/functions); the
 * words are made here and nowhere else.
 */
import { type Refusal, refusal } from './errors.js';

/** The facts of each code that a refusal made in SQL may have. */
export interface RefusalFacts {
  readonly not_found: { readonly orderId: string } | { readonly transferId: string };
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
  /** Of a transfer; or what the ledger refused that no client could know of. */
  readonly invalid_state: { readonly from: string; readonly to: string } | { readonly ledger: unknown };
  readonly validation_failed:
    | { readonly rule: 'one_currency' }
    | { readonly rule: 'max_lines' | 'max_total' | 'max_received'; readonly max: number };
}
export type FactualCode = keyof RefusalFacts;

const details: { readonly [Code in FactualCode]: (facts: RefusalFacts[Code]) => string } = {
  not_found: (facts) =>
    'orderId' in facts ? `there is no order ${facts.orderId}` : `there is no transfer ${facts.transferId}`,
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
      : `a transfer that is ${facts.from} cannot become ${facts.to}`,
  validation_failed: (facts) => {
    switch (facts.rule) {
      case 'one_currency':
        return 'an order has one currency';
      case 'max_lines':
        return `an order has at most ${facts.max} lines`;
      case 'max_total':
        return `the total is over ${facts.max} minor units`;
      case 'max_received':
        return `only ${facts.max} were sent`;
    }
  },
};

/** The members that the problem document of a code shows beside its detail. */
const extensions: { readonly [Code in FactualCode]?: (facts: RefusalFacts[Code]) => Refusal['extensions'] } = {
  unknown_sku: (facts) => facts,
  unknown_location: (facts) => facts,
  product_not_active: ({ sku }) => ({ sku }),
  same_location: (facts) => facts,
  insufficient_stock: (facts) => facts,
  invalid_order_state: (facts) => facts,
  invalid_state: (facts) => ('ledger' in facts ? undefined : facts),
};

/** The sentence of a refusal. */
export function detailOf<Code extends FactualCode>(code: Code, facts: RefusalFacts[Code]): string {
  return details[code](facts);
}

/** A refusal with its sentence, and with the facts that a client is shown. */
export function refusalOf<Code extends FactualCode>(code: Code, facts: RefusalFacts[Code]): Refusal {
  return refusal(code, detailOf(code, facts), extensions[code]?.(facts));
}

/** The facts of any refusal, as a row or a stored result keeps them beside their code. */
export type StoredFacts = RefusalFacts[FactualCode];

/** A refusal as Postgres answers it. Results that earlier releases have stored bring their sentence instead of facts. */
export type DecidedRefusal = Refusal & { readonly facts?: StoredFacts };

/** The refusal with its sentence; one that brings its own, or has a code of a later release, keeps what it brings. */
export function presentRefusal({ facts, ...brought }: DecidedRefusal): Refusal {
  return facts !== undefined && isFactualCode(brought.code) ? refusalOf(brought.code, facts) : brought;
}

/** Why something failed, as its row says: with the facts of a refusal, or with a sentence of its own. */
export function presentFailure(row: {
  readonly failureCode: string | null;
  readonly failureDetail: string | null;
  /** Absent of what fails by no refusal made in SQL: payments, replenishments. */
  readonly failureFacts?: StoredFacts | null;
}): { readonly code: string; readonly detail: string } | null {
  const { failureCode: code, failureDetail: detail, failureFacts: facts = null } = row;
  if (code === null) return null;
  return { code, detail: facts !== null && isFactualCode(code) ? detailOf(code, facts) : (detail ?? '') };
}

/** Whether a code that was read from the database has a sentence here. */
export function isFactualCode(code: string): code is FactualCode {
  return Object.hasOwn(details, code);
}
