/** The sentences of timeline entries that are decided in Postgres (db/functions/09_order_finish.sql). */
import { detailOf, isFactualCode, type StoredFacts } from '../refusals.js';

interface EntryFacts {
  readonly line_added: { readonly sku: string; readonly quantity: number };
  readonly suppliers_asked: {
    readonly shortages: readonly { readonly quantity: number; readonly sku: string; readonly supplierId: string }[];
  };
  readonly supplier_accepted: { readonly reference: string };
  readonly time_ran_out: object;
}
type EntryCode = keyof EntryFacts;

/** What an entry keeps beside its code. */
export type TimelineFacts = EntryFacts[EntryCode] | StoredFacts;

const sentences: { readonly [Code in EntryCode]: (facts: EntryFacts[Code]) => string } = {
  line_added: ({ sku, quantity }) => `${quantity} of ${sku} added`,
  suppliers_asked: ({ shortages }) =>
    `asking for ${shortages.map(({ quantity, sku, supplierId }) => `${quantity} of ${sku} from supplier ${supplierId}`).join(', ')}`,
  supplier_accepted: ({ reference }) => `accepted by the supplier: ${reference}`,
  time_ran_out: () => 'its time ran out',
};

/**
 * The reason that an entry shows.
 * @param reason with facts a code; without them words of a client, an operator or a workflow, shown as they are
 */
export function presentReason(reason: string | null, facts: TimelineFacts | null): string | null {
  if (reason === null || facts === null) return reason;
  // Facts are written with their code, in one row.
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
