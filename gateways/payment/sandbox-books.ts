/** The sandbox processor's books, as every gateway shows them. */
import type { z } from 'zod';
import type { BookedPayment } from '../../domain/payments/reconciliation.js';
import { cardSlots } from '../../domain/payments/states.js';
import { expectShape } from '../http/answers.js';
import type { AuthorizationBooks, ChangesPage, ListedPage } from './gateway.js';
import { books, changesPage } from './sandbox-shapes.js';

/** @param gateway its name in faults */
export function readBooks(gateway: string, body: unknown): AuthorizationBooks {
  return asBooks(expectShape(gateway, books, body));
}

export function readChanges(gateway: string, body: unknown): ChangesPage {
  const { items, nextCursor, until } = expectShape(gateway, changesPage, body);
  return { books: items.map(asBooks), events: [], cursor: nextCursor, until };
}

export function readPage(gateway: string, body: unknown): ListedPage {
  const { items, nextCursor } = expectShape(gateway, changesPage, body);
  const all = items.map(asBooks);
  return {
    payments: all.map(({ refunds: _refunds, disputes: _disputes, ...payment }) => payment),
    refunds: all.flatMap(({ authorizationId, refunds }) => refunds.map((refund) => ({ authorizationId, ...refund }))),
    disputes: all.flatMap(({ authorizationId, disputes }) =>
      disputes.map((dispute) => ({ authorizationId, ...dispute })),
    ),
    cursor: nextCursor,
  };
}

function asBooks({ currency, refunds, disputes, calls, ...authorization }: z.infer<typeof books>): AuthorizationBooks {
  return {
    ...authorization,
    ...makerOf(calls),
    currency,
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

/** The key of an authorization names payment and card. One that was made by hand has none. */
function makerOf(calls: z.infer<typeof books>['calls']): Pick<BookedPayment, 'paymentId' | 'card' | 'madeBy'> {
  const key = calls.find(({ kind }) => kind === 'authorize')?.idempotencyKey;
  if (key === undefined) return { paymentId: null, card: null, madeBy: 'unknown' };
  const [, paymentId, name] = /^(pay_\w{1,64})\/(\w+)\/authorize$/.exec(key) ?? [];
  const card = cardSlots.find((slot) => slot === name);
  if (paymentId === undefined || card === undefined) return { paymentId: null, card: null, madeBy: 'others' };
  return { paymentId, card, madeBy: 'us' };
}
