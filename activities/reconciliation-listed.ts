/** Both sides of a payment, from what a reconciliation has listed and from what it has read again. */
import type { KeptEntry, Listed } from '../db/payments/reconciliation-entries.js';
import { compareSides } from '../domain/payments/compare-books.js';
import type { BookedPayment, Moment, OurPayment, Sides } from '../domain/payments/reconciliation.js';
import type { AuthorizationBooks } from '../gateways/payment/gateway.js';

/** A payment as its processor shows it now. Null: it knows none. */
export type Read = AuthorizationBooks | 'unreadable' | null;
export const booksOf = (read: Read | undefined): AuthorizationBooks | null =>
  read === undefined || read === 'unreadable' ? null : read;

const named = ({ kind, entry }: KeptEntry): readonly string[] =>
  kind === 'payment' && entry.paymentId !== null ? [entry.paymentId] : [];

/** The payments of ours that it may be. One that was in flight when it was listed may have a row by now. */
export function paymentsOf({ paymentId, entries }: Listed): readonly string[] {
  return paymentId === null ? entries.flatMap(named) : [paymentId];
}

const oursOf = (listed: Listed, payments: readonly OurPayment[]): OurPayment | null => {
  const ids = paymentsOf(listed);
  return payments.find(({ id }) => ids.includes(id)) ?? null;
};

/** The payments at the processor that are read again; those of strangers are as they were listed. */
export function authorizationsOf(listed: Listed, payments: readonly OurPayment[]): readonly string[] {
  const ours = oursOf(listed, payments);
  if (ours === null) return [];
  const ids = listed.entries.flatMap((each) => (each.kind === 'ours' ? [] : [each.entry.authorizationId]));
  return [...new Set([...ids, ...(ours.providerReference === null ? [] : [ours.providerReference])])];
}

/** Whether what was listed may differ from our books, so that it is read again. */
export function isDoubtful(listed: Listed, payments: readonly OurPayment[], moment: Moment): boolean {
  const sides = listedSides(listed, payments);
  const { ours, theirs } = sides;
  const isListed = theirs.some(({ authorizationId }) => authorizationId === ours?.providerReference);
  if (isListed || listed.entries.some(({ kind }) => kind === 'ours')) return compareSides(sides, moment).length > 0;
  // Its payment was made before the window.
  if (theirs.length === 0) return ours !== null && listed.entries.some((entry) => !isKnown(entry, ours));
  return compareSides(sides, moment).length > 0;
}

function isKnown(entry: KeptEntry, { refunds, disputes }: OurPayment): boolean {
  switch (entry.kind) {
    case 'refund': {
      const { providerReference, status, amount } = entry.entry;
      return refunds.some(
        (known) => known.providerReference === providerReference && known.status === status && known.amount === amount,
      );
    }
    case 'dispute': {
      const { providerReference, status, amount } = entry.entry;
      return disputes.some(
        (known) => known.providerReference === providerReference && known.status === status && known.amount === amount,
      );
    }
    default:
      return true;
  }
}

/** Both sides as they were listed. */
function listedSides(listed: Listed, payments: readonly OurPayment[]): Sides {
  const { entries } = listed;
  const theirs = entries.flatMap((each): BookedPayment[] => {
    if (each.kind !== 'payment') return [];
    const { authorizationId } = each.entry;
    return [
      {
        ...each.entry,
        refunds: entries.flatMap(({ kind, entry }) =>
          kind === 'refund' && entry.authorizationId === authorizationId ? [entry] : [],
        ),
        disputes: entries.flatMap(({ kind, entry }) =>
          kind === 'dispute' && entry.authorizationId === authorizationId ? [entry] : [],
        ),
      },
    ];
  });
  return { ours: oursOf(listed, payments), theirs, namesOurs: namesOurs(entries) };
}

function namesOurs(entries: readonly KeptEntry[]): ReadonlySet<string> {
  return new Set(
    entries.flatMap(({ kind, entry }) =>
      kind === 'payment' && entry.namesOurs && entry.reference !== null ? [entry.reference] : [],
    ),
  );
}

/** Both sides as they were read again; null: the processor shows one of them wrongly. */
export function confirmedSides(
  listed: Listed,
  payments: readonly OurPayment[],
  books: ReadonlyMap<string, Read>,
): Sides | null {
  const sides = listedSides(listed, payments);
  if (sides.ours === null) return sides;
  const reads = authorizationsOf(listed, payments).map((id) => books.get(id));
  if (reads.some((read) => read === 'unreadable' || read === undefined)) return null;
  return { ...sides, theirs: reads.flatMap((read) => booksOf(read) ?? []) };
}
