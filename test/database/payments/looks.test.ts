/** The look for changes at a processor: how far it has read is kept in Postgres, and what cannot be read stops nothing. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { adoptionActivities } from '../../../activities/adoption.js';
import { openReports, readMark } from '../../../db/payments/adoption.js';
import { GatewayFault } from '../../../gateways/http/fault.js';
import type { AuthorizationBooks, ChangesPage } from '../../../gateways/payment/gateway.js';
import { Books } from '../books.js';
import { Sales } from '../refunds/sale.js';

vi.mock('@temporalio/activity', () => ({ heartbeat: () => undefined, log: { warn: () => undefined } }));
vi.mock('../../../activities/context.js', () => ({ callOptions: () => ({}) }));

let books: Books;
let sales: Sales;
beforeAll(async () => {
  books = await Books.open();
  sales = new Sales(books);
});
afterAll(() => books.close());
beforeEach(() => books.sql`delete from processor_marks`);

interface Asked {
  readonly since: string;
  readonly cursor: string | null;
  readonly short?: boolean;
}
const until = '2026-11-28T10:00:00.000Z';
const page = (more: Partial<ChangesPage> = {}): ChangesPage => ({
  books: [],
  events: [],
  cursor: null,
  until,
  ...more,
});

/** One look at a processor that answers each call as `answer` says; what it was asked, and which workflows heard of it. */
async function look(answer: (asked: Asked, call: number) => ChangesPage | Error) {
  const asked: Asked[] = [];
  const told: string[] = [];
  const changes = async (request: Asked) => {
    asked.push(request);
    const said = answer(request, asked.length);
    if (said instanceof Error) throw said;
    return said;
  };
  const gateways = [{ name: 'sandbox' as const, read: async () => null, changes }];
  const tell = async (workflowId: string) => void told.push(workflowId);
  await adoptionActivities({ sql: books.sql, gateways, gatewayTimeoutSeconds: 1, tell }).lookForChanges();
  return { asked, told };
}
const bookOf = (paymentId: string, refunded: number): AuthorizationBooks => ({
  ...{
    authorizationId: `auth_${paymentId}`,
    paymentId: null,
    card: null,
    madeBy: 'unknown',
    reference: null,
    expired: false,
    currency: 'USD',
    createdAt: '2026-11-20T10:00:00.000Z',
    status: 'captured',
    amount: 500,
    captured: 500,
    refunded,
    voided: false,
  },
  ...{ refundable: true, disputes: [] },
  refunds: [
    {
      ...{
        providerReference: `re_${randomUUID()}`,
        refundId: null,
        amount: refunded,
        status: 'succeeded',
        failure: null,
      },
      at: until,
    },
  ],
});
const refundedOf = async (paymentId: string) => (await sales.paymentRow(paymentId))?.refunded;

describe('the look for changes', () => {
  test('adopts each page, and the next look begins where the last page ended', async () => {
    const [one, other] = [await sales.payment(500), await sales.payment(500)];
    const { asked } = await look((_request, call) =>
      call === 1 ? page({ books: [bookOf(one, 100)], cursor: 'second' }) : page({ books: [bookOf(other, 200)] }),
    );
    expect(asked.map(({ cursor }) => cursor)).toEqual([null, 'second']);
    expect([await refundedOf(one), await refundedOf(other)]).toEqual([100, 200]);
    expect((await look(() => page())).asked).toEqual([{ since: until, cursor: null }]);
  });

  test('goes on at the page that it could not read', async () => {
    const down = new GatewayFault('payment', 'unreachable', 'down');
    const first = await look((_request, call) => (call === 1 ? page({ cursor: 'second' }) : down));
    const again = await look(() => page());
    expect(again.asked).toEqual([{ since: first.asked[0]?.since, cursor: 'second' }]);
  });

  test('asks for a short page where one is longer than an answer may be', async () => {
    const tooLong = new GatewayFault('payment', 'malformed', 'an answer of more than 262144 bytes');
    const { asked } = await look(({ short }) => (short ? page() : tooLong));
    expect(asked.map(({ short }) => short)).toEqual([undefined, true]);
    expect(await readMark(books.sql, 'sandbox')).toMatchObject({ since: until, cursor: null });
  });

  test('begins anew where the processor has forgotten the place in its list', async () => {
    await look((_request, call) =>
      call === 1 ? page({ cursor: 'old' }) : new GatewayFault('payment', 'no_answer', ''),
    );
    const { asked } = await look(({ cursor }) => (cursor === null ? page() : new Error('not a cursor of this list')));
    expect(asked.map(({ cursor }) => cursor)).toEqual(['old', null]);
  });

  test('leaves what waits for a refund of ours to the workflow that reads it again', async () => {
    const paymentId = await sales.payment(500);
    await sales.begin({ paymentId });
    await look(() => page({ books: [bookOf(paymentId, 300)] }));
    const queued = await books.sql`
      select payload->>'gateway' as gateway from outbox
       where topic = 'processor' and payload->>'providerId' = ${`auth_${paymentId}`}`;
    expect(queued).toEqual([{ gateway: 'sandbox' }]);
  });

  test('reads a payment again that is being charged, if somebody has refunded it already', async () => {
    const paymentId = `pay_${randomUUID().replaceAll('-', '')}`;
    const { told } = await look(() => page({ books: [{ ...bookOf(paymentId, 300), paymentId }] }));
    expect(told).toEqual([`payment/${paymentId}`]);
    const [queued] = await books.sql<{ id: number }[]>`
      select id::float8 as id from outbox where topic = 'processor' and payload->>'providerId' = ${`auth_${paymentId}`}`;
    expect((await openReports(books.sql, [queued?.id ?? 0])).payments).toMatchObject([{ paymentId }]);
  });

  test('adopts the others where Postgres refuses one, which a person gets in the end', async () => {
    const [good, bad] = [await sales.payment(500), await sales.payment(500)];
    await look(() => page({ books: [bookOf(bad, -1), bookOf(good, 100)] }));
    expect([await refundedOf(good), await refundedOf(bad)]).toEqual([100, 0]);
    const [queued] = await books.sql<{ id: number }[]>`
      select id::float8 as id from outbox where topic = 'processor' and payload->>'providerId' = ${`auth_${bad}`}`;
    expect(queued).toBeDefined();
  });

  test('tells the workflow of a pending refund, and books nothing itself', async () => {
    const paymentId = await sales.payment(500);
    const { id } = await sales.begin({ paymentId }, { amount: 300 });
    const book = bookOf(paymentId, 300);
    const refunds = book.refunds.map((refund) => ({ ...refund, refundId: id }));
    const { told } = await look(() => page({ books: [{ ...book, refunds }] }));
    expect([told, await refundedOf(paymentId)]).toEqual([[`refund/${id}`], 0]);
  });
});
