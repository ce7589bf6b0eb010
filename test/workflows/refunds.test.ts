/** What a refund does when its steps or its processor fail, each an activity of its own, and in which order. */
import { describe, expect, test } from 'vitest';
import { refusal } from '../../domain/errors.js';
import type { RefundState } from '../../domain/payments/refunds.js';
import { refundWorkflowId } from '../../workflows/refund/contract.js';
import { processorSignal } from '../../workflows/shared/contract.js';
import { always, expectSame, fails, lasts, oneAfterTheOther } from './answers.js';
import { anyInput, faultyWorker, newId, type SagaRun, type Script } from './faulty-worker.js';

const reserved: RefundState = {
  ...{ status: 'pending', amount: 900, currency: 'USD', orderId: 'ord_1', paymentId: 'pay_1', gateway: 'sandbox' },
  ...{ authorizationId: 'auth_1', attempts: 0, restocked: false, failure: null },
};
const is = (more: Partial<RefundState>) => ({ outcome: 'done', state: { ...reserved, ...more }, transitions: [] });
const succeeded = { kind: 'succeeded', providerReference: 're_1' };
const pending = { kind: 'pending', providerReference: 're_1' };
const failed = { kind: 'failed', providerReference: 're_1', code: 'expired_or_canceled_card', detail: 'expired' };
/** Throws where the processor is down; a function, so that a test can bring it back. */
const whileDown = (isDown: () => boolean) => () => {
  if (isDown()) throw fails('unreachable');
  return succeeded;
};

/** Steps that all succeed. */
const good: Script = {
  beginRefund: () => is({}),
  refundPayment: () => succeeded,
  findRefund: () => null,
  acceptRefund: () => is({}),
  settleRefund: () => is({ status: 'succeeded' }),
  failRefund: ({ attempt, failure }) => is({ status: 'failed', attempts: (attempt ?? 0) + 1, failure }),
  retryRefund: ({ attempt }) => is({ attempts: attempt }),
  openReview: () => undefined,
  closeReview: () => undefined,
};
const begin = faultyWorker(good);

/** @param retry how long the waits between attempts are */
function refund(script: Script, retry = anyInput.retry): Promise<SagaRun> {
  const refundId = newId('rfd');
  const input = {
    ...{ refundId, orderId: 'ord_1', paymentId: null, reason: 'does not fit' },
    request: { amount: null, lines: [], charges: false, restock: true },
    ...{ ...anyInput, retry, requestedAt: new Date().toISOString() },
  };
  return begin('refund', refundWorkflowId(refundId), input, script);
}

const attemptsOf = (run: SagaRun) => run.argsOf('refundPayment').map(([{ attempt }]) => attempt);
/** The operations that the processor was asked for. */
const operationsOf = (run: SagaRun) => run.argsOf('refundPayment').map(([operation]) => operation);

describe('a refund', () => {
  test('reserves its amount, then asks the processor, then books the answer', async () => {
    const run = await refund({});
    expect(await run.running.result()).toEqual({ kind: 'done', status: 'succeeded' });
    expect(run.steps).toEqual(['beginRefund', 'refundPayment', 'settleRefund']);
    expect(run.argsOf('settleRefund')).toMatchObject([[{ attempt: 0, providerReference: 're_1' }]]);
  });

  test('that may not reserve its amount asks no processor', async () => {
    const over = { outcome: 'refused', state: null, transitions: [], refusal: refusal('over_refund', 'too much') };
    const run = await refund({ beginRefund: () => over });
    expect(await run.running.result()).toMatchObject({ kind: 'refused', refusal: { code: 'over_refund' } });
    expect(run.steps).toEqual(['beginRefund']);
  });

  test('of an order that was paid elsewhere asks no processor', async () => {
    const run = await refund({ beginRefund: () => is({ paymentId: null, gateway: null, authorizationId: null }) });
    expect(await run.running.result()).toEqual({ kind: 'done', status: 'succeeded' });
    expect(run.steps).toEqual(['beginRefund', 'settleRefund']);
  });
});

describe('a step of a refund that was carried out and not answered is repeated with its key, and the money is returned once', () => {
  const lost = new Error('gone');
  test.each<[keyof Script, Script]>([
    ['beginRefund', { beginRefund: oneAfterTheOther<unknown>(lost, is({})) }],
    ['settleRefund', { settleRefund: oneAfterTheOther<unknown>(lost, is({ status: 'succeeded' })) }],
    [
      'acceptRefund',
      {
        refundPayment: () => pending,
        acceptRefund: oneAfterTheOther<unknown>(lost, is({})),
        findRefund: () => succeeded,
      },
    ],
  ])('%s', async (step, script) => {
    const run = await refund(script);
    expect(await run.running.result()).toMatchObject({ kind: 'done' });
    const [first, second, ...more] = run.argsOf(step);
    expect([second, more]).toEqual([first, []]);
    expect(run.argsOf('refundPayment')).toHaveLength(1);
    expect(run.argsOf('settleRefund').at(-1)).toMatchObject([{ providerReference: 're_1' }]);
  });

  test.each(['failRefund', 'retryRefund'] as const)('%s', async (step) => {
    let calls = 0;
    const run = await refund({
      refundPayment: oneAfterTheOther<unknown>(failed, succeeded),
      [step]: (asked: never) => {
        if (calls++ === 0) throw lost;
        return good[step]?.(asked);
      },
    });
    await run.decide('retry');
    expect(await run.running.result()).toEqual({ kind: 'done', status: 'failed' });
    const [first, second, ...more] = run.argsOf(step);
    expect([second, more]).toEqual([first, []]);
    expect(attemptsOf(run)).toEqual([0, 1]);
  });

  test('and one that Postgres refuses for good waits for a person, who cannot give the booking up', async () => {
    let refuses = true;
    const run = await refund({
      settleRefund: () => {
        if (refuses) throw lasts();
        return is({ status: 'succeeded' });
      },
    });
    await run.until('openReview');
    expect(run.argsOf('openReview')[0]?.[0]).toMatchObject({
      kind: 'step_failed',
      detail: { step: 'settleRefund', canBeGivenUp: false },
    });
    await run.decide('done');
    await run.until('openReview', 2);
    refuses = false;
    await run.decide('retry');
    expect(await run.running.result()).toEqual({ kind: 'done', status: 'succeeded' });
    expect(run.argsOf('refundPayment')).toHaveLength(1);
  });
});

describe('a processor', () => {
  test('whose answer was lost is asked again for the same operation, and the answer is booked once', async () => {
    const run = await refund({ refundPayment: oneAfterTheOther<unknown>(fails('no_answer'), succeeded) });
    expect(await run.running.result()).toEqual({ kind: 'done', status: 'succeeded' });
    expect(run.steps).toEqual(['beginRefund', 'refundPayment', 'refundPayment', 'settleRefund']);
    expectSame(operationsOf(run));
  });

  test('that is down for an hour is asked until it is back: nothing is booked meanwhile, and the review closes by itself', async () => {
    let isDown = true;
    const run = await refund({ refundPayment: whileDown(() => isDown) });
    await run.until('openReview');
    expect(run.argsOf('openReview')[0]?.[0]).toMatchObject({ kind: 'refund_failed', detail: { outcome: 'unknown' } });
    await run.until('refundPayment', 12);
    expect(run.steps).not.toContain('failRefund');
    isDown = false;
    expect(await run.running.result()).toEqual({ kind: 'done', status: 'succeeded' });
    expect(run.steps.slice(-2)).toEqual(['closeReview', 'settleRefund']);
    expect(run.argsOf('closeReview')[0]?.[1]).toMatchObject({ by: 'success', resolution: 'succeeded' });
    expectSame(operationsOf(run));
  });

  test('that is down while a refund is pending is asked until it is back, and is not asked to refund again', async () => {
    let looks = 0;
    const run = await refund({
      refundPayment: () => pending,
      findRefund: () => {
        if (++looks < 25) throw fails('unreachable');
        return succeeded;
      },
    });
    expect(await run.running.result()).toEqual({ kind: 'done', status: 'pending' });
    expect(run.argsOf('refundPayment')).toHaveLength(1);
    expect(run.steps.slice(0, 3)).toEqual(['beginRefund', 'refundPayment', 'acceptRefund']);
    expect(run.steps.at(-1)).toBe('settleRefund');
    expect(run.steps).not.toContain('openReview');
  });

  test('that settles a pending refund is looked at as soon as it says so', async () => {
    let settled = false;
    // The waits between looks double: after three of them, the next look is 4 s away.
    const patient = { ...anyInput.retry, retryBaseScale: 0.5 };
    const run = await refund(
      { refundPayment: () => pending, findRefund: () => (settled ? succeeded : pending) },
      patient,
    );
    await run.until('findRefund', 3);
    settled = true;
    await run.running.signal(processorSignal);
    await run.running.result();
    // The wait for the next look was cut short.
    const { events } = await run.running.fetchHistory();
    expect(events?.some(({ timerCanceledEventAttributes: cut }) => cut)).toBe(true);
  });

  test('that fails a pending refund frees its amount, and a person retries it as another operation', async () => {
    const run = await refund({
      refundPayment: oneAfterTheOther<unknown>(pending, succeeded),
      findRefund: () => failed,
      retryRefund: ({ attempt }) => is({ attempts: attempt, amount: 899 }),
    });
    await run.decide('retry');
    await run.running.result();
    expect(run.steps).toEqual([
      ...['beginRefund', 'refundPayment', 'acceptRefund', 'findRefund', 'failRefund', 'openReview'],
      ...['retryRefund', 'closeReview', 'refundPayment', 'settleRefund'],
    ]);
    const asked = run.argsOf('refundPayment').map(([{ attempt, amount }]) => [attempt, amount]);
    expect(asked).toEqual([
      [0, 900],
      [1, 899],
    ]);
    expect(run.argsOf('settleRefund')).toMatchObject([[{ attempt: 1 }]]);
  });
});

describe('a review of a refund', () => {
  test('stays open while its retry is refused, and ends the refund as failed when a person closes it', async () => {
    const over = {
      ...{ outcome: 'refused', state: { ...reserved, status: 'failed' }, transitions: [] },
      refusal: refusal('over_refund', 'refunded otherwise'),
    };
    const run = await refund({ refundPayment: () => failed, retryRefund: () => over });
    await run.decide('retry');
    await run.until('retryRefund');
    expect(run.steps).not.toContain('closeReview');
    await run.decide('done');
    expect(await run.running.result()).toEqual({ kind: 'done', status: 'failed' });
    expect(run.argsOf('refundPayment')).toHaveLength(1);
  });

  test.each<[string, unknown, string]>([
    ['books the refund if the last look finds it', succeeded, 'settleRefund'],
    ['frees the amount if the last look does not find it', null, 'failRefund'],
  ])('of an unknown outcome that a person closes ends the attempts, and then %s', async (_what, found, end) => {
    const run = await refund({ refundPayment: always(() => fails('unreachable')), findRefund: () => found });
    await run.until('refundPayment', 5);
    await run.decide('done');
    await run.running.result();
    expect(run.steps.slice(-2)).toEqual(['findRefund', end]);
    expect(run.argsOf('openReview')).toHaveLength(1);
  });

  test('of an unknown outcome that a person closes waits for the attempt on its way, which may return the money', async () => {
    const answers = { give: (_answer: unknown): void => undefined };
    let attempts = 0;
    const run = await refund({
      refundPayment: () => {
        if (++attempts < 3) throw fails('unreachable');
        return new Promise((give) => {
          answers.give = give;
        });
      },
    });
    await run.until('refundPayment', 3);
    await run.decide('done');
    const cancelled = async () =>
      (await run.running.fetchHistory()).events?.some(
        (each) => each.activityTaskCancelRequestedEventAttributes != null,
      );
    await expect.poll(cancelled, { timeout: 20_000 }).toBe(true);
    expect(run.steps).not.toContain('failRefund');
    answers.give(succeeded);
    expect(await run.running.result()).toEqual({ kind: 'done', status: 'succeeded' });
    expect(run.steps.at(-1)).toBe('settleRefund');
    expect(run.steps).not.toContain('failRefund');
  });

  test('of a refund whose workflow is cancelled: one of unknown outcome stays, one that failed ends', async () => {
    let isDown = true;
    const unknown = await refund({ refundPayment: whileDown(() => isDown) });
    await unknown.until('openReview');
    await unknown.running.cancel();
    await unknown.until('refundPayment', 5);
    isDown = false;
    expect(await unknown.running.result()).toEqual({ kind: 'done', status: 'succeeded' });
    const known = await refund({ refundPayment: () => failed });
    await known.until('openReview');
    await known.running.cancel();
    expect(await known.running.result()).toEqual({ kind: 'done', status: 'failed' });
  });
});
