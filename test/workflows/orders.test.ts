/** What an order does when the steps of its payment fail, each an activity of its own, and in which order it undoes them. */
import { describe, expect, test } from 'vitest';
import { nothingCharged } from '../../domain/purchase/steps.js';
import { orderWorkflowId } from '../../workflows/order/contract.js';
import { confirming, is } from '../purchase-run.js';
import { always, authorized, captured, expectSame, fails, lasts, oneAfterTheOther } from './answers.js';
import { anyInput, faultyWorker, newId, type SagaRun, type Script } from './faulty-worker.js';

const inFlight = { paymentId: newId('pay'), choice: { cardToken: 'tok_1' }, abandoned: [] };
const ended = (status: 'failed' | 'cancelled' | 'confirmed') => is({ status, inFlight: null });

/** Steps that all succeed; a refused payment is the last that the order may have. */
const good: Script = {
  openOrder: () => is({ ...confirming, inFlight }),
  chargeCard: nothingCharged,
  scoreFraud: () => 0.1,
  authorizeCard: () => authorized,
  captureCard: () => captured,
  undoCard: () => undefined,
  abandonCard: () => is({ inFlight: { ...inFlight, abandoned: ['primary'] } }),
  refusePayment: () => ended('failed'),
  settleOrder: () => ended('confirmed'),
  closeOrder: ({ to }) => ended(to),
  openReview: () => undefined,
  closeReview: () => undefined,
};
const begin = faultyWorker(good);

function buy(script: Script): Promise<SagaRun> {
  const orderId = newId('ord');
  const line = { sku: 'A', quantity: 1, location: 'main', reservationId: newId('rsv') };
  const input = {
    ...{ orderId, customer: null, lines: [line], payment: { cardToken: 'tok_1' }, confirm: true },
    ...{ holdSeconds: 900, draftSeconds: 900, supplierRecheckSeconds: 1, supplierMaxDelayed: 1 },
    ...{ ...anyInput, requestedAt: new Date().toISOString() },
  };
  return begin('order', orderWorkflowId(orderId), input, script);
}

/** The names of the steps after the score. */
const askedOf = (run: SagaRun) => run.steps.filter((step) => !['openOrder', 'chargeCard', 'scoreFraud'].includes(step));

describe('an order', () => {
  test('whose card is declined records the refusal and undoes nothing', async () => {
    const declined = { kind: 'declined', code: 'insufficient_funds', declineCode: 'no_money', heldTaskMs: 0 };
    const run = await buy({ authorizeCard: () => declined });
    expect((await run.running.result()).status).toBe('failed');
    expect(askedOf(run)).toEqual(['authorizeCard', 'refusePayment']);
    expect(run.argsOf('refusePayment')[0]?.[0]).toMatchObject({
      failure: { code: 'insufficient_funds' },
      payment: { status: 'declined', attempts: [{ card: 'primary', outcome: 'declined', code: 'no_money' }] },
    });
  });

  test('outlives an outage of the processor, and is settled once', async () => {
    const run = await buy({
      authorizeCard: oneAfterTheOther<unknown>(fails('server_error'), fails('no_answer'), authorized),
    });
    expect(await run.running.result()).toEqual({ kind: 'done', status: 'confirmed' });
    expect(askedOf(run)).toEqual(['authorizeCard', 'authorizeCard', 'authorizeCard', 'captureCard', 'settleOrder']);
    expectSame(run.argsOf('authorizeCard').map(([asked]) => asked));
  });

  test('whose settling was carried out and not answered asks again with the same key, and keeps the money', async () => {
    const run = await buy({ settleOrder: oneAfterTheOther<unknown>(new Error('gone'), ended('confirmed')) });
    expect(await run.running.result()).toEqual({ kind: 'done', status: 'confirmed' });
    expect(askedOf(run)).toEqual(['authorizeCard', 'captureCard', 'settleOrder', 'settleOrder']);
    const [first, second] = run.argsOf('settleOrder');
    expect(second).toEqual(first);
  });

  test('whose processor never answers gives the card up before it returns the money, then records the refusal', async () => {
    const run = await buy({
      captureCard: always(() => fails('no_answer')),
    });
    expect((await run.running.result()).status).toBe('failed');
    expect(run.argsOf('captureCard')).toHaveLength(5);
    expect(askedOf(run).slice(-3)).toEqual(['abandonCard', 'undoCard', 'refusePayment']);
  });

  test('that is cancelled before the capture returns the money, then gives the goods back, and captures nothing', async () => {
    const cancelling = { cancel: async () => undefined as unknown };
    const run = await buy({
      // It holds up the task for so long that a cancel must be heard before the capture.
      authorizeCard: async () => {
        await cancelling.cancel();
        return { ...authorized, heldTaskMs: 1000 };
      },
    });
    cancelling.cancel = () => run.running.signal('cancel', { reason: 'changed my mind' });
    expect(await run.running.result()).toEqual({ kind: 'done', status: 'cancelled' });
    expect(askedOf(run)).toEqual(['authorizeCard', 'abandonCard', 'undoCard', 'closeOrder']);
    expect(run.argsOf('closeOrder')[0]?.[0]).toMatchObject({
      ...{ to: 'cancelled', reason: 'changed my mind' },
      payment: { status: 'voided', cardUsed: null },
    });
  });

  test('that was paid for and can never be settled returns the money, then gives the goods back, once a person gives it up', async () => {
    const run = await buy({
      settleOrder: always(lasts),
    });
    await run.until('openReview');
    expect(run.argsOf('openReview')[0]?.[0]).toMatchObject({
      kind: 'step_failed',
      detail: { step: 'settleOrder', canBeGivenUp: true },
    });
    expect(run.steps).not.toContain('undoCard');
    await run.decide('done');
    expect((await run.running.result()).status).toBe('failed');
    expect(askedOf(run).slice(-2)).toEqual(['undoCard', 'closeOrder']);
    expect(run.argsOf('closeOrder')[0]?.[0]).toMatchObject({ to: 'failed', payment: { status: 'refunded' } });
  });

  test('whose card a lost task gave up before it could settle returns the money and stays open for the cancel', async () => {
    const settling = { ...is({ inFlight: { ...inFlight, abandoned: ['primary'] } }), outcome: 'refused' };
    const run = await buy({
      settleOrder: () => ({ ...settling, refusal: { code: 'invalid_order_state', detail: 'confirming' } }),
      refusePayment: () => is({ status: 'reserved', inFlight: null, expiresInMs: 900_000 }),
    });
    expect(await run.running.executeUpdate('opened')).toMatchObject({
      ...{ kind: 'refused', status: 'reserved', refusal: { code: 'all_payment_attempts_failed' } },
    });
    expect(askedOf(run)).toEqual(['authorizeCard', 'captureCard', 'settleOrder', 'undoCard', 'refusePayment']);
    await run.running.executeUpdate('cancel', { args: [{ reason: 'came again', caller: anyInput.caller }] });
    expect(await run.running.result()).toEqual({ kind: 'done', status: 'cancelled' });
    expect(run.argsOf('closeOrder')[0]?.[0]).toMatchObject({ to: 'cancelled', reason: 'came again' });
  });

  test('whose money cannot be returned is put before a person, and is not ended before that is decided', async () => {
    let isDown = true;
    const run = await buy({
      captureCard: always(() => fails('server_error')),
      undoCard: () => {
        if (isDown) throw fails('unreachable');
      },
    });
    await run.until('openReview');
    expect(run.argsOf('undoCard').length).toBeGreaterThanOrEqual(5);
    expect(run.argsOf('openReview')[0]?.[0]).toMatchObject({
      ...{ kind: 'compensation_failed', attempts: 5 },
      detail: { compensation: 'return the money', card: 'primary', authorizationId: 'auth_1' },
    });
    expect(run.steps).not.toContain('refusePayment');
    isDown = false;
    await run.decide('retry');
    await run.running.result();
    expect(askedOf(run).slice(-3)).toEqual(['undoCard', 'closeReview', 'refusePayment']);
  });
});
