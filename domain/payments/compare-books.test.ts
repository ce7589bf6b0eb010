import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareSides, discrepancyKey } from './compare-books.js';
import {
  type BookedPayment,
  type DiscrepancyKind,
  discrepancyKinds,
  type OurDispute,
  type OurPayment,
  type OurRefund,
  type Sides,
} from './reconciliation.js';
import type { CardSlot } from './states.js';

const now = '2026-11-21T12:00:00.000Z';
const old = '2026-11-21T09:00:00.000Z';
const fresh = '2026-11-21T11:59:00.000Z';
const moment = { now, graceSeconds: 900 };

interface Books {
  readonly ours: OurPayment;
  readonly theirs: readonly BookedPayment[];
}

/** A captured payment that both sides know alike, with these refunds and disputes. */
function equalBooks(amount: number, refunds: readonly number[], disputes: readonly number[]): Books {
  const made = refunds.map(
    (part, index): OurRefund => ({
      ...{
        id: `rfd_${index}`,
        amount: part,
        status: 'succeeded',
        origin: 'holdfast',
        providerReference: `re_${index}`,
      },
      ...{ createdAt: old, changedAt: old },
    }),
  );
  const opened = disputes.map(
    (part, index): OurDispute => ({
      ...{ providerReference: `dp_${index}`, amount: part, status: 'open' },
    }),
  );
  const refunded = refunds.reduce((sum, part) => sum + part, 0);
  return {
    ours: {
      ...{ id: 'pay_1', gateway: 'sandbox', amount, currency: 'USD', providerReference: 'auth_1', refunded },
      ...{ updatedAt: old, refunds: made, disputes: opened },
      status: refunded === 0 ? 'captured' : refunded < amount ? 'partially_refunded' : 'refunded',
    },
    theirs: [
      bookedOn('primary', {
        ...{ authorizationId: 'auth_1', amount, captured: amount },
        refunds: made.map(({ id, providerReference, ...refund }) => ({
          ...{ providerReference: providerReference ?? '', refundId: id, amount: refund.amount, status: refund.status },
          ...{ failure: null, at: old },
        })),
        disputes: opened.map((dispute) => ({
          ...dispute,
          ...{ currency: 'USD', reason: 'fraudulent', refundable: false, openedAt: old, closedAt: null },
        })),
      }),
    ],
  };
}

function bookedOn(card: CardSlot, more: Partial<BookedPayment> = {}): BookedPayment {
  return {
    ...{ authorizationId: `auth_${card}`, paymentId: 'pay_1', card, madeBy: 'us', reference: 'pay_1' },
    ...{ status: 'captured', expired: false, amount: 1000, currency: 'USD', captured: 1000, createdAt: old },
    ...{ refunds: [], disputes: [], ...more },
  };
}

const kindsOf = ({ ours, theirs }: Books, namesOurs: Sides['namesOurs'] = new Set()) =>
  compareSides({ ours, theirs, namesOurs }, moment).map(({ kind }) => kind);

/** At least one refund and one dispute, within the amount. */
const anyBooks = fc
  .record({
    refunds: fc.array(fc.integer({ min: 1, max: 10_000 }), { minLength: 1, maxLength: 4 }),
    disputes: fc.array(fc.integer({ min: 1, max: 10_000 }), { minLength: 1, maxLength: 2 }),
    rest: fc.integer({ min: 1, max: 50_000 }),
  })
  .map(({ refunds, disputes, rest }) => {
    const sum = [...refunds, ...disputes].reduce((total, part) => total + part, rest);
    return equalBooks(sum, refunds, disputes);
  });

const their = (books: Books, change: (booked: BookedPayment) => Partial<BookedPayment>): Books => ({
  ...books,
  theirs: books.theirs.map((booked) => ({ ...booked, ...change(booked) })),
});
const withFirst = <T>([first, ...rest]: readonly T[], change: Partial<T>): readonly T[] =>
  first === undefined ? [] : [{ ...first, ...change }, ...rest];

/** One difference each, planted into equal books. Those without a payment of ours are below. */
const planted: readonly (readonly [DiscrepancyKind, (books: Books) => Books])[] = [
  ['missing_there', (books) => ({ ...books, theirs: [] })],
  ['amount', (books) => their(books, ({ captured }) => ({ captured: captured - 1 }))],
  ['amount', (books) => their(books, ({ refunds }) => ({ refunds: withFirst(refunds, { amount: 20_000 }) }))],
  ['currency', (books) => their(books, () => ({ currency: 'EUR' }))],
  ['status', (books) => their(books, () => ({ status: 'authorized', captured: 0, refunds: [], disputes: [] }))],
  ['status', (books) => their(books, () => ({ status: 'voided', captured: 0, refunds: [], disputes: [] }))],
  ['status', (books) => their(books, ({ disputes }) => ({ disputes: withFirst(disputes, { status: 'won' }) }))],
  [
    'authorization_expired',
    (books) => their(books, () => ({ status: 'voided', captured: 0, expired: true, refunds: [] })),
  ],
  [
    'authorization_open',
    (books) => ({ ...books, theirs: [...books.theirs, bookedOn('backup', { status: 'authorized', captured: 0 })] }),
  ],
  ['captured_twice', (books) => ({ ...books, theirs: [...books.theirs, bookedOn('backup')] })],
  [
    'refund_missing_here',
    ({ ours, theirs }) => {
      const [gone, ...refunds] = ours.refunds;
      return { ours: { ...ours, refunds, refunded: ours.refunded - (gone?.amount ?? 0) }, theirs };
    },
  ],
  ['refund_missing_there', (books) => their(books, ({ refunds: [, ...refunds] }) => ({ refunds }))],
  [
    'refund_failed_late',
    (books) => their(books, ({ refunds }) => ({ refunds: withFirst(refunds, { status: 'failed' }) })),
  ],
  [
    'refund_pending_long',
    ({ ours, theirs }) => {
      const refunds = withFirst(ours.refunds, { status: 'pending' });
      return { ours: { ...ours, refunds, refunded: ours.refunded - (refunds[0]?.amount ?? 0) }, theirs };
    },
  ],
  ['dispute_unknown', ({ ours, theirs }) => ({ ours: { ...ours, disputes: ours.disputes.slice(1) }, theirs })],
  [
    'dispute_amount',
    (books) => their(books, ({ disputes }) => ({ disputes: withFirst(disputes, { amount: 90_000 }) })),
  ],
];

describe('the comparison of our books with a processor’s', () => {
  test('finds nothing in equal books', () => {
    fc.assert(fc.property(anyBooks, (books) => kindsOf(books).length === 0));
  });

  test.each(planted)('%s: finds a planted difference as its kind, and nothing else', (kind, plant) => {
    fc.assert(fc.property(anyBooks, (books) => isDeepStrictEqual(kindsOf(plant(books)), [kind])));
  });

  const stranger = { ours: null, namesOurs: new Set(['pay_1']) };
  test.each<[DiscrepancyKind, Partial<BookedPayment>]>([
    ['missing_here', { madeBy: 'us', paymentId: 'pay_9' }],
    ['missing_here', { madeBy: 'unknown', reference: 'ref-1' }],
    ['duplicate_reference', { madeBy: 'unknown', reference: 'pay_1' }],
    ['unknown_key', { madeBy: 'others', reference: 'pay_1' }],
  ])('%s: finds money that is none of ours', (kind, more) => {
    const theirs = [bookedOn('primary', { paymentId: null, card: null, ...more })];
    expect(compareSides({ ...stranger, theirs }, moment).map((found) => found.kind)).toEqual([kind]);
    const returned = { ...bookedOn('primary', more), captured: 0, status: 'voided' as const };
    expect(compareSides({ ...stranger, theirs: [returned] }, moment)).toEqual([]);
  });

  test('has a test for each kind', () => {
    const tested = new Set([...planted.map(([kind]) => kind), 'missing_here', 'duplicate_reference', 'unknown_key']);
    expect(discrepancyKinds.filter((kind) => !tested.has(kind))).toEqual([]);
  });

  test('leaves alone what is in flight or young', () => {
    const { ours, theirs } = equalBooks(1000, [], []);
    const differing = theirs.map((booked) => ({ ...booked, captured: 1 }));
    for (const status of ['pending', 'authorized'] as const)
      expect(kindsOf({ ours: { ...ours, status }, theirs: differing })).toEqual([]);
    expect(kindsOf({ ours: { ...ours, updatedAt: fresh }, theirs: differing })).toEqual([]);
    expect(kindsOf({ ours, theirs: differing.map((booked) => ({ ...booked, createdAt: fresh })) })).toEqual([]);
    expect(compareSides({ ...stranger, theirs: [bookedOn('primary', { createdAt: fresh })] }, moment)).toEqual([]);
  });

  test('reports nothing of a payment with a refund under way, except that it is pending for long', () => {
    const pending = { status: 'pending', createdAt: '2026-11-21T11:40:00.000Z' } as const;
    const { ours, theirs } = equalBooks(1000, [400], [300]);
    const underWay = { ...ours, refunded: 0, refunds: withFirst(ours.refunds, pending), disputes: [] };
    expect(kindsOf({ ours: underWay, theirs })).toEqual([]);
    const long = { ...underWay, refunds: withFirst(underWay.refunds, { createdAt: '2026-11-21T11:29:00.000Z' }) };
    expect(kindsOf({ ours: long, theirs })).toEqual(['refund_pending_long']);
  });

  test('a charge that was undone is no refund of ours', () => {
    const { ours, theirs } = equalBooks(1000, [], []);
    const undo = {
      providerReference: 're_u',
      refundId: null,
      amount: 1000,
      status: 'succeeded',
      failure: null,
      at: old,
    } as const;
    const undone = { ...ours, status: 'refunded', refunded: 1000 } as const;
    expect(kindsOf({ ours: undone, theirs: theirs.map((booked) => ({ ...booked, refunds: [undo] })) })).toEqual([]);
    const back = theirs.map((booked) => ({ ...booked, refunds: [{ ...undo, status: 'failed' as const }] }));
    expect(kindsOf({ ours: undone, theirs: back })).toEqual(['refund_failed_late']);
  });

  test('a payment without money holds none on any card', () => {
    const { ours } = equalBooks(1000, [], []);
    const failed = { ...ours, status: 'failed', providerReference: null } as const;
    const voided = bookedOn('primary', { status: 'voided', captured: 0 });
    const refusedThere = bookedOn('backup', { status: 'declined', captured: 0 });
    expect(kindsOf({ ours: failed, theirs: [voided, refusedThere] })).toEqual([]);
    expect(kindsOf({ ours: failed, theirs: [voided, bookedOn('backup')] })).toEqual(['status']);
  });

  test('voids only what our payment has made on a card of its own', () => {
    const { ours, theirs } = equalBooks(1000, [], []);
    const open = bookedOn('backup', { status: 'authorized', captured: 0 });
    const remedyOf = (booked: BookedPayment) =>
      compareSides({ ours, theirs: [...theirs, booked], namesOurs: new Set() }, moment).map(({ remedy }) => remedy);
    expect(remedyOf(open)).toEqual(['void']);
    expect(remedyOf({ ...open, card: null })).toEqual(['review']);
    expect(remedyOf({ ...open, paymentId: 'pay_2' })).toEqual(['review']);
  });

  test('a discrepancy has the same key in every reconciliation, and another has another', () => {
    const { ours, theirs } = equalBooks(1000, [100, 200], []);
    const lost = theirs.map((booked) => ({ ...booked, refunds: [] }));
    const keys = () =>
      compareSides({ ours, theirs: lost, namesOurs: new Set() }, moment).map((found) =>
        discrepancyKey('sandbox', found),
      );
    expect(new Set(keys()).size).toBe(2);
    expect(keys()).toEqual(keys());
  });
});
