/** The sentences of timeline entries that Postgres writes as a code with facts (db/functions/09_order_finish.sql). */
import { formatMoney } from '../money.js';
import { type DisputeStatus, disputeStatusMeanings } from '../payments/disputes.js';
import { detailOf, isFactualCode, type StoredFacts } from '../refusals.js';

interface RefundFacts {
  readonly refundId: string;
  readonly amount: number;
  readonly currency: string;
}

interface EntryFacts {
  readonly line_added: { readonly sku: string; readonly quantity: number };
  readonly suppliers_asked: {
    readonly shortages: readonly { readonly quantity: number; readonly sku: string; readonly supplierId: string }[];
  };
  readonly supplier_accepted: { readonly reference: string };
  readonly time_ran_out: object;
  /** The names of the changed fields; what they hold may be personal data. */
  readonly details_changed: { readonly fields: readonly string[] };
  readonly refunded: RefundFacts & { readonly reason: string };
  readonly refund_failed: RefundFacts & { readonly code: string };
  readonly dispute: {
    readonly disputeId: string;
    readonly status: DisputeStatus;
    readonly amount: number;
    readonly currency: string;
    readonly reason: string;
  };
}
type EntryCode = keyof EntryFacts;

/** The facts that an entry stores with its code. */
export type TimelineFacts = EntryFacts[EntryCode] | StoredFacts;

const sentences: { readonly [Code in EntryCode]: (facts: EntryFacts[Code]) => string } = {
  line_added: ({ sku, quantity }) => `${quantity} of ${sku} added`,
  suppliers_asked: ({ shortages }) =>
    `asking for ${shortages.map(({ quantity, sku, supplierId }) => `${quantity} of ${sku} from supplier ${supplierId}`).join(', ')}`,
  supplier_accepted: ({ reference }) => `accepted by the supplier: ${reference}`,
  time_ran_out: () => 'its time ran out',
  details_changed: ({ fields }) => `changed: ${fields.join(', ')}`,
  refunded: ({ refundId, reason, ...money }) => `refund ${refundId} returned ${formatMoney(money)}: ${reason}`,
  refund_failed: ({ refundId, code, ...money }) => `refund ${refundId} of ${formatMoney(money)} failed: ${code}`,
  dispute: ({ disputeId, status, reason, ...money }) =>
    `dispute ${disputeId} about ${formatMoney(money)} (${reason}), ${status}: ${disputeStatusMeanings[status]}`,
};

/**
 * The reason that an entry shows.
 * @param reason a code if there are facts; else text of a client, an operator or a workflow, shown unchanged
 */
export function presentReason(reason: string | null, facts: TimelineFacts | null): string | null {
  if (reason === null || facts === null) return reason;
  // A row's facts always belong to its code.
  if (isEntryCode(reason)) return say(reason, facts as EntryFacts[EntryCode]);
  if (isFactualCode(reason)) return detailOf(reason, facts as StoredFacts);
  return reason;
}

function say<Code extends EntryCode>(code: Code, facts: EntryFacts[Code]): string {
  return sentences[code](facts);
}

function isEntryCode(code: string): code is EntryCode {
  return Object.hasOwn(sentences, code);
}
