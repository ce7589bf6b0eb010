/** What a payment without an order does when its steps fail, and in which order. */
import { describe, expect, test } from 'vitest';
import { nothingCharged } from '../../domain/purchase/steps.js';
import { paymentWorkflowId } from '../../workflows/payment/contract.js';
import { always, authorized, captured, expectSame, fails, oneAfterTheOther } from './answers.js';
import { anyInput, faultyWorker, newId, type SagaRun, type Script } from './faulty-worker.js';

const declined = { kind: 'declined', code: 'payment_declined', declineCode: 'generic_decline', heldTaskMs: 0 };
const standing = ({ status, failure }: { status: string; failure: unknown }) => ({ status, failure });

/** Steps that all succeed. The first attempt leaves each of them to an activity of its own. */
const good: Script = {
  chargeCard: nothingCharged,
  scoreFraud: () => 0.1,
  authorizeCard: () => authorized,
  captureCard: () => captured,
  undoCard: () => undefined,
  abandonPayment: () => ({ status: 'pending', failure: null }),
  recordPayment: standing,
  openReview: () => undefined,
  closeReview: () => undefined,
};
const begin = faultyWorker(good);

async function pay(script: Script, backupCardToken: string | null = null): Promise<SagaRun> {
  const paymentId = newId('pay');
  const input = {
    ...{ paymentId, amount: 900, currency: 'GBP', cardToken: 'tok_1', backupCardToken },
    ...{ customerId: null, email: null, reference: null, ...anyInput, requestedAt: new Date().toISOString() },
  };
  return begin('payment', paymentWorkflowId(paymentId), input, script);
}

/** The names of the steps after the first attempt and the score. */
const askedOf = (run: SagaRun) => run.steps.filter((step) => step !== 'chargeCard' && step !== 'scoreFraud');

describe('a payment', () => {
  test('that is declined asks for nothing to be returned, and is recorded once', async () => {
    const run = await pay({ authorizeCard: () => declined });
    expect(await run.running.result()).toMatchObject({ kind: 'refused', refusal: { code: 'payment_declined' } });
    expect(askedOf(run)).toEqual(['authorizeCard', 'recordPayment']);
    expect(run.argsOf('recordPayment')[0]?.[0]).toMatchObject({ status: 'declined', cardUsed: null });
  });

  test('outlives an outage of the processor with one key', async () => {
    const run = await pay({
      authorizeCard: oneAfterTheOther<unknown>(fails('unreachable'), fails('unreachable'), authorized),
    });
    expect(await run.running.result()).toEqual({ kind: 'done', status: 'captured' });
    expect(askedOf(run)).toEqual(['authorizeCard', 'authorizeCard', 'authorizeCard', 'captureCard', 'recordPayment']);
    expectSame(run.argsOf('authorizeCard').map(([asked]) => asked));
  });

  test('whose capture was carried out and not answered is captured once, and nothing is returned', async () => {
    let captures = 0;
    const run = await pay({
      captureCard: () => {
        // The same key: the processor acts at the first call.
        if (captures++ === 0) throw fails('no_answer');
        return captured;
      },
    });
    expect(await run.running.result()).toEqual({ kind: 'done', status: 'captured' });
    expect(askedOf(run)).toEqual(['authorizeCard', 'captureCard', 'captureCard', 'recordPayment']);
  });

  test('whose primary card never answers gives that card up, returns its money, and only then charges the backup', async () => {
    const run = await pay(
      {
        captureCard: ({ card }) => {
          if (card === 'primary') throw fails('server_error');
          return captured;
        },
      },
      'tok_2',
    );
    expect(await run.running.result()).toEqual({ kind: 'done', status: 'captured' });
    expect(askedOf(run)).toEqual([
      ...['authorizeCard', 'captureCard', 'captureCard', 'captureCard'],
      ...['abandonPayment', 'undoCard', 'authorizeCard', 'captureCard', 'recordPayment'],
    ]);
    expect(run.argsOf('undoCard').map(([{ card }]) => card)).toEqual(['primary']);
    expect(run.argsOf('recordPayment')[0]?.[0]).toMatchObject({ status: 'captured', cardUsed: 'backup' });
  });

  test('that never answers and is cancelled returns its money before it is recorded as failed', async () => {
    const authorizing = { cancel: async () => undefined as unknown };
    const run = await pay({
      authorizeCard: async () => {
        await authorizing.cancel();
        throw fails('no_answer');
      },
    });
    authorizing.cancel = () => run.running.cancel();
    await run.running.result();
    expect(askedOf(run).filter((step) => step !== 'authorizeCard')).toEqual([
      'abandonPayment',
      'undoCard',
      'recordPayment',
    ]);
    expect(run.argsOf('recordPayment')[0]?.[0].status).not.toBe('captured');
  });

  test('whose card cannot be undone is put before a person, and recorded only when that is decided', async () => {
    const run = await pay({
      captureCard: () => ({ ...declined }),
      undoCard: always(() => fails('server_error')),
    });
    await run.until('openReview');
    expect(run.argsOf('undoCard').length).toBeGreaterThanOrEqual(5);
    expect(run.argsOf('openReview')[0]?.[0]).toMatchObject({
      kind: 'compensation_failed',
      attempts: 5,
      detail: { compensation: 'return the money', amount: 900, card: 'primary', authorizationId: 'auth_1' },
    });
    expect(run.steps).not.toContain('recordPayment');
    await run.decide('done');
    await run.running.result();
    // An attempt in flight at the decision may come after it.
    expect(askedOf(run).filter((step) => step !== 'undoCard')).toEqual([
      ...['authorizeCard', 'captureCard', 'abandonPayment', 'openReview', 'recordPayment'],
    ]);
  });
});
