/** The sandbox processor's books, as every gateway shows them. */
import type { z } from 'zod';
import { expectShape } from '../http/answers.js';
import type { AuthorizationBooks, ChangesPage } from './gateway.js';
import { books, changesPage } from './sandbox-shapes.js';

/** @param gateway its name in faults */
export function readBooks(gateway: string, body: unknown): AuthorizationBooks {
  return asBooks(expectShape(gateway, books, body));
}

export function readChanges(gateway: string, body: unknown): ChangesPage {
  const { items, nextCursor, until } = expectShape(gateway, changesPage, body);
  return { books: items.map(asBooks), events: [], cursor: nextCursor, until };
}

function asBooks({ currency, refunds, disputes, calls, ...authorization }: z.infer<typeof books>): AuthorizationBooks {
  return {
    ...authorization,
    paymentId: ourPayment(calls),
    refunds: refunds.map(({ refundId: providerReference, idempotencyKey, ...refund }) => ({
      providerReference,
      refundId: ourRefund(idempotencyKey),
      ...refund,
    })),
    disputes: disputes.map(({ id: providerReference, ...dispute }) => ({ providerReference, currency, ...dispute })),
  };
}

/** The key of a refund begins with its id. The undo of a charge has the key of the payment's card. */
function ourRefund(idempotencyKey: string | null): string | null {
  return idempotencyKey === null ? null : (/^(rfd_\w+)\/\d+$/.exec(idempotencyKey)?.[1] ?? null);
}

/** The key of an authorization begins with the payment's id. */
function ourPayment(calls: z.infer<typeof books>['calls']): string | null {
  const key = calls.find(({ kind }) => kind === 'authorize')?.idempotencyKey ?? '';
  return /^(pay_\w{1,64})\/\w+\/authorize$/.exec(key)?.[1] ?? null;
}
