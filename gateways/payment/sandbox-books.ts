/** The sandbox processor's books, as every gateway shows them. */
import { expectShape } from '../http/answers.js';
import type { AuthorizationBooks, ChangesPage } from './gateway.js';
import { books, listed } from './sandbox-shapes.js';

/** @param gateway its name in faults */
export function readBooks(gateway: string, body: unknown): AuthorizationBooks {
  const { currency, refunds, disputes, ...authorization } = expectShape(gateway, books, body);
  return {
    ...authorization,
    refunds: refunds.map(({ refundId: providerReference, idempotencyKey, ...refund }) => ({
      providerReference,
      refundId: ourRefund(idempotencyKey),
      ...refund,
    })),
    disputes: disputes.map(({ id: providerReference, ...dispute }) => ({ providerReference, currency, ...dispute })),
  };
}

/** @param since where the look began, for a page without changes */
export function readChanges(gateway: string, body: unknown, since: string): ChangesPage {
  const { items, nextCursor } = expectShape(gateway, listed, body);
  const until = items.reduce((latest, { updatedAt = since }) => (later(updatedAt, latest) ? updatedAt : latest), since);
  return { providerIds: items.map(({ authorizationId }) => authorizationId), cursor: nextCursor, until };
}

function later(one: string, other: string): boolean {
  return Date.parse(one) > Date.parse(other);
}

/** The key of a refund begins with its id. The undo of a charge has the key of the payment's card. */
function ourRefund(idempotencyKey: string | null): string | null {
  return idempotencyKey === null ? null : (/^(rfd_\w+)\/\d+$/.exec(idempotencyKey)?.[1] ?? null);
}
