/** Reconciliations on real books: what a killed attempt leaves, what is skipped, and how much is kept. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { reconciliationActivities } from '../../../activities/reconciliation.js';
import { keepOutcomes } from '../../../db/payments/reconciliation-entries.js';
import { getReconciliation, maxNoted, type ReconciliationRun } from '../../../db/payments/reconciliations.js';
import { GatewayFault } from '../../../gateways/http/fault.js';
import type { AuthorizationBooks, ListedPage } from '../../../gateways/payment/gateway.js';
import { Books } from '../books.js';
import { Sales } from '../refunds/sale.js';

vi.mock('@temporalio/activity', () => ({
  heartbeat: () => undefined,
  log: { info: () => undefined, warn: () => undefined },
  cancellationSignal: () => new AbortController().signal,
}));
vi.mock('../../../activities/context.js', () => ({ callOptions: () => ({}), attemptNumber: () => 1 }));
vi.mock('../../../db/payments/reconciliation-entries.js', async (original) => {
  const real: typeof import('../../../db/payments/reconciliation-entries.js') = await original();
  return { ...real, keepOutcomes: vi.fn(real.keepOutcomes) };
});

let books: Books;
let sales: Sales;
beforeAll(async () => {
  books = await Books.open();
  sales = new Sales(books);
});
afterAll(() => books.close());
/** What the processor has. */
const theirs = new Map<string, AuthorizationBooks>();
beforeEach(() => theirs.clear());

const money = { amount: 500, captured: 500, refunded: 0, voided: false, expired: false, currency: 'USD' };
function enter(authorizationId: string, more: Partial<AuthorizationBooks> = {}): AuthorizationBooks {
  const book: AuthorizationBooks = {
    ...{ authorizationId, paymentId: null, card: null, madeBy: 'us', reference: null, status: 'captured', ...money },
    ...{ createdAt: new Date().toISOString(), refundable: true, refunds: [], disputes: [], ...more },
  };
  theirs.set(authorizationId, book);
  return book;
}
const refundOf = (amount: number) => ({
  ...{ providerReference: `re_${randomUUID()}`, refundId: null, amount, status: 'succeeded' as const, failure: null },
  at: new Date().toISOString(),
});

const listed = (): ListedPage => ({
  payments: [...theirs.values()],
  refunds: [...theirs.values()].flatMap(({ authorizationId, refunds }) =>
    refunds.map((refund) => ({ authorizationId, ...refund })),
  ),
  ...{ disputes: [], cursor: null },
});

const voided: string[] = [];
/** @param list the processor's lists, a page for each call */
function activitiesOn(list: () => Promise<ListedPage> = async () => listed(), graceSeconds = 0) {
  return reconciliationActivities({
    connection: books.connection,
    gateways: [
      {
        name: 'sandbox',
        list,
        read: async (id) => theirs.get(id) ?? null,
        void: async ({ paymentId, card }, id) => {
          voided.push(`${paymentId}/${card}/${id}`);
          enter(id, { ...theirs.get(id), status: 'voided', voided: true });
          return { kind: 'voided' };
        },
      },
    ],
    ...{ current: 'sandbox', gatewayTimeoutSeconds: 1, graceSeconds, tell: async () => undefined },
    isRunning: async (workflowId) => workflowId.includes('running'),
  });
}

function newRun(): ReconciliationRun {
  const window = { from: new Date(Date.now() - 60_000).toISOString(), to: new Date(Date.now() + 60_000).toISOString() };
  return {
    id: `rcn_${randomUUID().replaceAll('-', '')}`,
    ...window,
    actor: 'test',
    requestId: 'req_test',
    createdAt: window.to,
  };
}
async function found(id: string) {
  const row = await getReconciliation(books.connection.db, id);
  if (row === null) throw new Error('not begun');
  return row;
}
const ofPayment = async (id: string, paymentId: string) =>
  (await found(id)).discrepancies.filter((each) => each.paymentId === paymentId);
const died = new Error('killed');

test.each([1, 2])('an attempt that dies at write %i: the next finds and repairs everything, once', async (write) => {
  const paymentId = await sales.payment(500);
  enter(`auth_${paymentId}`, { paymentId, card: 'primary', refunded: 200, refunds: [refundOf(200)] });
  const other = await sales.payment(500);
  enter(`auth_${other}`, { paymentId: other, card: 'primary' });
  enter(`auth_2_${other}`, { paymentId: other, card: 'backup', status: 'authorized', captured: 0 });
  const run = newRun();
  const keep = vi.mocked(keepOutcomes);
  const real = keep.getMockImplementation();
  if (real === undefined) throw new Error('the store is not mocked');
  let writes = 0;
  keep.mockImplementation(async (...args) => {
    writes++;
    if (writes === write) throw died;
    return await real(...args);
  });
  await expect(activitiesOn().reconcilePayments(run)).rejects.toThrow('killed');
  keep.mockImplementation(real);
  await activitiesOn().reconcilePayments(run);
  expect(await found(run.id)).toMatchObject({ status: 'completed', failure: null });
  expect(await ofPayment(run.id, paymentId)).toMatchObject([{ kind: 'refund_missing_here', action: 'repaired' }]);
  expect(await ofPayment(run.id, other)).toMatchObject([{ kind: 'authorization_open', action: 'repaired' }]);
  expect(await sales.paymentRow(paymentId)).toMatchObject({ refunded: 200 });
  const voids = await books.sql`
    select actor, detail->>'reference' as reference from audit_log
     where subject = ${`payment/${other}`} and action = 'payment.voided'`;
  expect(voids).toEqual([{ actor: 'test', reference: `auth_2_${other}` }]);
  const begun = await books.sql`
    select request_id as "requestId" from audit_log where subject = ${`reconciliation/${run.id}`}`;
  expect(begun).toEqual([{ requestId: 'req_test' }]);
  const [left] = await books.sql`
    select count(*)::int as rows from reconciliation_entries where reconciliation_id = ${run.id}`;
  expect(left).toEqual({ rows: 0 });
  // An ended one is not begun again.
  await activitiesOn().reconcilePayments(run);
  expect((await found(run.id)).found).toBe((await found(run.id)).discrepancies.length);
});

test('a listing that dies continues at its next page', async () => {
  const cursors: (string | null)[] = [];
  let calls = 0;
  const list = async () => {
    calls++;
    if (calls === 2) throw new GatewayFault('payment', 'no_answer', 'gone');
    return { ...listed(), cursor: calls === 1 ? 'second' : null };
  };
  const run = newRun();
  const asked = (request: { cursor: string | null }) => {
    cursors.push(request.cursor);
    return list();
  };
  const activities = reconciliationActivities({
    connection: books.connection,
    gateways: [{ name: 'sandbox', list: asked, read: async () => null, void: async () => ({ kind: 'voided' }) }],
    ...{ current: 'sandbox', gatewayTimeoutSeconds: 1, graceSeconds: 0, tell: async () => undefined },
    isRunning: async () => false,
  });
  await expect(activities.reconcilePayments(run)).rejects.toMatchObject({ type: 'no_answer' });
  await activities.reconcilePayments(run);
  expect(cursors).toEqual([null, 'second', 'second']);
  expect((await found(run.id)).status).toBe('completed');
});

test('a processor that lists the same page again and again ends the reconciliation', async () => {
  const activities = activitiesOn(async () => ({ ...listed(), cursor: 'again' }));
  const run = newRun();
  await expect(activities.reconcilePayments(run)).rejects.toMatchObject({ nonRetryable: true });
  await activities.failReconciliation(run.id, 'the same page');
  expect(await found(run.id)).toMatchObject({ status: 'failed', failure: 'the same page' });
});

test('what is younger than the grace time, or runs without a row, is left alone', async () => {
  const paymentId = await sales.payment(500);
  enter(`auth_${paymentId}`, { paymentId, card: 'primary', captured: 400 });
  const run = newRun();
  await activitiesOn(undefined, 900).reconcilePayments(run);
  expect(await ofPayment(run.id, paymentId)).toEqual([]);
  enter('auth_running', { paymentId: 'pay_running', card: 'primary' });
  enter('auth_lost', { paymentId: 'pay_lost', card: 'primary' });
  const next = newRun();
  await activitiesOn().reconcilePayments(next);
  expect(await ofPayment(next.id, 'pay_running')).toEqual([]);
  expect(await ofPayment(next.id, 'pay_lost')).toMatchObject([{ kind: 'missing_here', action: 'review' }]);
});

test('money of others is kept up to a bound, and hides nothing of ours', async () => {
  for (let n = 0; n < maxNoted + 20; n++) enter(`auth_a${n}_${randomUUID()}`, { madeBy: 'others' });
  enter('auth_z_stranger', { madeBy: 'unknown' });
  const run = newRun();
  await activitiesOn().reconcilePayments(run);
  const { discrepancies, found: all } = await found(run.id);
  const noted = discrepancies.filter(({ kind }) => kind === 'unknown_key');
  expect(noted).toHaveLength(maxNoted);
  expect(all).toBeGreaterThanOrEqual(maxNoted + 21);
  expect(discrepancies.filter(({ providerReference }) => providerReference === 'auth_z_stranger')).toMatchObject([
    { kind: 'missing_here' },
  ]);
});
