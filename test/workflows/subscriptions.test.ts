/** What a subscription does when its steps fail, and in which order. */
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { nothingCharged } from '../../domain/purchase/steps.js';
import type { SubscriptionState } from '../../domain/subscriptions/steps.js';
import type { ChargeOrder } from '../../domain/subscriptions/subscription.js';
import { subscriptionWorkflowId } from '../../workflows/subscription/contract.js';
import { always, authorized, captured, expectSame, fails, lasts, oneAfterTheOther } from './answers.js';
import { anyInput, faultyWorker, newId, type SagaRun, type Script } from './faulty-worker.js';

const charge: ChargeOrder = {
  ...{ paymentId: 'pay_1', purpose: 'open', amount: 900, currency: 'GBP', backupCard: null, abandoned: [], final: [] },
  ...{ card: { token: 'tok_1', customer: null }, customerInitiated: true },
};
const state = (status: SubscriptionState['status'], more: Partial<SubscriptionState> = {}): SubscriptionState => ({
  ...{ status, nextAt: null, due: false, charge: null },
  ...more,
});
const soon = (ms = 50) => new Date(Date.now() + ms).toISOString();
const done = (after: SubscriptionState, more: object = {}) => ({
  ...{ outcome: 'done', state: after, transitions: [] },
  ...more,
});
const refused = (after: SubscriptionState, code: string) => ({
  ...{ outcome: 'refused', state: after, transitions: [], refusal: { code, detail: code } },
});
const charging = done(state('scheduled', { charge }), { begun: 'pay_1' });
const declined = { kind: 'declined', code: 'payment_declined', declineCode: 'generic_decline', heldTaskMs: 0 };

/** Steps that all succeed. The first attempt leaves each of them to an activity of its own. */
const good: Script = {
  storeCard: ({ token }) => ({ kind: 'stored', card: { token, customer: null } }),
  openSubscription: () => charging,
  settleSubscription: () => done(state('active')),
  dueSubscription: () => done(state('active')),
  cancelSubscription: () => done(state('cancelled')),
  chargeCard: nothingCharged,
  scoreFraud: () => 0.1,
  authorizeCard: () => authorized,
  captureCard: () => captured,
  undoCard: () => undefined,
  abandonPayment: () => ({ status: 'pending', failure: null }),
  openReview: () => undefined,
  closeReview: () => undefined,
};
const begin = faultyWorker(good);

async function subscribe(script: Script, more: object = {}): Promise<SagaRun> {
  const subscriptionId = newId('sub');
  const input = {
    ...{ subscriptionId, customerId: 'cus_1', email: null, gateway: 'sandbox', cardToken: 'tok_1' },
    ...{ plan: { amount: 900, currency: 'GBP', interval: 'month' }, backupCardToken: null, startAt: null },
    ...{ anchorDay: null, testClock: null, dunningWaitsSeconds: [1, 2], ...anyInput },
    ...{ requestedAt: new Date().toISOString(), ...more },
  };
  return begin('subscription', subscriptionWorkflowId(subscriptionId), input, script);
}

const caller = { actor: 'test', traceparent: '', requestId: null };
const command = (run: SagaRun, name: string, request: object = {}) =>
  run.running.executeUpdate(name, { args: [{ ...request, caller }], updateId: randomUUID() });
const cancel = (run: SagaRun) => command(run, 'cancel', { atPeriodEnd: false });
const opened = (run: SagaRun) => run.running.executeUpdate('opened', { updateId: randomUUID() });

describe('a subscription', () => {
  test('keeps the card, opens, charges, and only then records', async () => {
    const run = await subscribe({});
    expect(await opened(run)).toEqual({ kind: 'done', status: 'active' });
    expect(run.steps).toEqual([
      ...['storeCard', 'openSubscription', 'chargeCard', 'scoreFraud', 'authorizeCard', 'captureCard'],
      'settleSubscription',
    ]);
    await cancel(run);
    expect(await run.running.result()).toEqual({ kind: 'done', status: 'cancelled' });
  });

  test('whose card cannot be kept is opened as refused, and nothing is charged', async () => {
    const run = await subscribe({
      storeCard: () => declined,
      openSubscription: () => refused(state('cancelled'), 'payment_declined'),
    });
    expect(await run.running.result()).toMatchObject({ status: 'cancelled' });
    expect(run.steps).toEqual(['storeCard', 'openSubscription']);
    expect(run.argsOf('openSubscription')[0]?.[0]).toMatchObject({ refusal: { code: 'payment_declined' }, card: null });
  });

  test('whose capture was carried out and not answered captures under one key, and settles once', async () => {
    const run = await subscribe({ captureCard: oneAfterTheOther<unknown>(fails('no_answer'), captured) });
    await opened(run);
    expectSame(run.argsOf('captureCard').map(([operation]) => operation));
    expect(run.argsOf('settleSubscription')).toMatchObject([[{ charged: 'captured', paymentId: 'pay_1' }]]);
    await cancel(run);
  });

  test('whose processor stays down gives the card up, returns its money, and only then records the refusal', async () => {
    const run = await subscribe({
      captureCard: always(() => fails('server_error')),
      settleSubscription: () => refused(state('cancelled'), 'all_payment_attempts_failed'),
    });
    expect(await run.running.result()).toMatchObject({ status: 'cancelled' });
    const after = run.steps.slice(run.steps.lastIndexOf('captureCard') + 1);
    expect(after).toEqual(['abandonPayment', 'undoCard', 'settleSubscription']);
  });

  test('whose card a lost task gave up returns the money, and settles as refused', async () => {
    const givenUp = done(state('scheduled', { charge }), { givenUp: true });
    const run = await subscribe({
      settleSubscription: oneAfterTheOther<unknown>(
        givenUp,
        refused(state('cancelled'), 'all_payment_attempts_failed'),
      ),
    });
    expect(await run.running.result()).toMatchObject({ status: 'cancelled' });
    expect(run.steps.slice(-3)).toEqual(['settleSubscription', 'undoCard', 'settleSubscription']);
    const [first, second] = run.argsOf('settleSubscription').map(([step]) => step);
    expect([first?.charged, second?.charged, second?.payment?.status]).toEqual(['captured', 'refused', 'failed']);
    expect(first?.key).toBe(second?.key);
  });

  test('that a lost task has charged and settled is not charged again: it asks for the stored answer', async () => {
    const settled = refused(state('active'), 'payment_declined');
    const run = await subscribe({
      changeSubscription: () => done(state('active'), { begun: 'pay_2' }),
      settleSubscription: oneAfterTheOther<unknown>(done(state('active')), settled),
    });
    await opened(run);
    const plan = { amount: 1800, currency: 'GBP', interval: 'month' };
    expect(await command(run, 'change', { plan })).toMatchObject({ refusal: { code: 'payment_declined' } });
    expect(run.steps.filter((name) => name === 'chargeCard')).toHaveLength(1);
    expect(run.argsOf('settleSubscription').at(-1)).toMatchObject([{ paymentId: 'pay_2', charged: 'decided' }]);
    await cancel(run);
  });

  test('settles the charge that it finds under way before it takes a command', async () => {
    const busy = done(state('active', { charge: { ...charge, paymentId: 'pay_3', purpose: 'period' } }), {
      busy: true,
    });
    const run = await subscribe({
      pauseSubscription: oneAfterTheOther<unknown>(busy, done(state('paused'))),
    });
    await opened(run);
    expect(await command(run, 'pause')).toEqual({ kind: 'done', status: 'paused' });
    const from = run.steps.indexOf('pauseSubscription');
    // The pause keeps the money from being captured.
    expect(run.steps.slice(from)).toEqual([
      ...['pauseSubscription', 'chargeCard', 'scoreFraud', 'authorizeCard', 'abandonPayment', 'undoCard'],
      ...['settleSubscription', 'pauseSubscription'],
    ]);
    expect(run.argsOf('settleSubscription').at(-1)).toMatchObject([{ paymentId: 'pay_3', charged: 'stopped' }]);
    await cancel(run);
  });

  test('that another run resumes is not opened again: it goes on from its row', async () => {
    const under: ChargeOrder = { ...charge, paymentId: 'pay_4', purpose: 'period' };
    const run = await subscribe(
      { dueSubscription: oneAfterTheOther<unknown>(done(state('active', { charge: under })), done(state('active'))) },
      { resumed: 'lost-run' },
    );
    await run.until('settleSubscription');
    expect(run.steps.slice(0, 2)).toEqual(['dueSubscription', 'chargeCard']);
    expect(run.steps).not.toContain('openSubscription');
    await cancel(run);
  });

  test('leaves a card out that was declined for good', async () => {
    const backupCard = { token: 'tok_2', customer: null };
    const renewing: ChargeOrder = { ...charge, paymentId: 'pay_7', purpose: 'period', backupCard, final: ['primary'] };
    const run = await subscribe({
      settleSubscription: oneAfterTheOther<unknown>(done(state('active', { nextAt: soon() })), done(state('active'))),
      dueSubscription: () => done(state('active', { charge: renewing })),
    });
    await run.until('settleSubscription', 2);
    const asked = run.argsOf('authorizeCard').map(([{ paymentId, card, token }]) => [paymentId, card, token]);
    expect(asked).toEqual([
      ['pay_1', 'primary', 'tok_1'],
      ['pay_7', 'backup', 'tok_2'],
    ]);
    expect(run.argsOf('settleSubscription')[1]).toMatchObject([
      { charged: 'captured', payment: { cardUsed: 'backup' } },
    ]);
    await cancel(run);
  });

  test('that is due does what is due when its time has come', async () => {
    const renewing: ChargeOrder = { ...charge, paymentId: 'pay_5', purpose: 'period' };
    const run = await subscribe({
      settleSubscription: oneAfterTheOther<unknown>(done(state('active', { nextAt: soon() })), done(state('active'))),
      dueSubscription: () => done(state('active', { charge: renewing })),
    });
    await run.until('settleSubscription', 2);
    expect(run.argsOf('settleSubscription')[1]).toMatchObject([{ paymentId: 'pay_5', charged: 'captured' }]);
    await cancel(run);
  });

  test('whose other card is refused is not billed later for it', async () => {
    const run = await subscribe({
      settleSubscription: () => done(state('active', { nextAt: soon(500) })),
      storeCard: oneAfterTheOther<unknown>({ kind: 'stored', card: { token: 'tok_1', customer: null } }, declined),
    });
    await opened(run);
    const { runId } = await run.running.describe();
    const other = { cardToken: 'tok_declined', backupCardToken: null };
    while (!run.steps.includes('dueSubscription'))
      expect(await command(run, 'paymentMethod', other)).toMatchObject({ kind: 'refused' });
    // A new run looks at once.
    expect((await run.running.describe()).runId).toBe(runId);
    await cancel(run);
  });

  test('does what is due as itself, in a trace of its own', async () => {
    const renewing: ChargeOrder = { ...charge, paymentId: 'pay_6', purpose: 'period' };
    const run = await subscribe(
      {
        settleSubscription: oneAfterTheOther<unknown>(done(state('active', { nextAt: soon() })), done(state('active'))),
        dueSubscription: () => done(state('active', { charge: renewing })),
      },
      { caller: { actor: 'api_key:1', traceparent: '', requestId: 'req_1' } },
    );
    await run.until('settleSubscription', 2);
    const [first, second] = run.argsOf('settleSubscription').map(([step]) => step);
    expect(first).toMatchObject({ actor: 'api_key:1', requestId: 'req_1' });
    for (const step of [run.argsOf('dueSubscription')[0]?.[0], second]) {
      expect(step).toMatchObject({ actor: 'subscription', traceId: expect.stringMatching(/^[0-9a-f]{32}$/) });
      expect(step).not.toHaveProperty('requestId');
    }
    await cancel(run);
  });

  test('that is resumed during its first charge answers once that is decided', async () => {
    const run = await subscribe(
      {
        dueSubscription: () => done(state('scheduled', { charge })),
        // It stays live, so that it can be asked at any time.
        settleSubscription: () => refused(state('scheduled'), 'payment_declined'),
      },
      { resumed: 'lost-run' },
    );
    expect(await opened(run)).toMatchObject({ kind: 'refused', refusal: { code: 'payment_declined' } });
    expect(run.steps).not.toContain('openSubscription');
    await cancel(run);
  });

  test('tells signals from those of the runs before it', async () => {
    const run = await subscribe({ pauseSubscription: () => done(state('paused')) }, { continued: true });
    await run.running.signal('pause');
    await run.until('pauseSubscription');
    const { runId } = await run.running.describe();
    expect(run.argsOf('pauseSubscription')[0]?.[0].key).toContain(`/pause/${runId}-signal-1`);
    await cancel(run);
  });

  test('goes on in a new run without the tokens of its cards', async () => {
    const run = await subscribe({ resumeSubscription: () => done(state('active')) }, { backupCardToken: 'tok_2' });
    await opened(run);
    const { runId } = await run.running.describe();
    const ignored = Array.from({ length: 1000 }, () => run.running.signal('resume', { unknown: true }));
    await Promise.all(ignored);
    await run.running.signal('resume');
    await expect.poll(async () => (await run.running.describe()).runId, { timeout: 20_000 }).not.toBe(runId);
    const { events } = await run.running.fetchHistory();
    const started = events?.[0]?.workflowExecutionStartedEventAttributes;
    const input = Buffer.from(started?.input?.payloads?.[0]?.data ?? '').toString();
    expect(JSON.parse(input)).toMatchObject({ cardToken: '', backupCardToken: null, continued: true });
    await cancel(run);
  });

  test('whose step Postgres refuses for good goes on once the command is given up', async () => {
    const run = await subscribe({
      resumeSubscription: always(lasts),
    });
    await opened(run);
    const resuming = command(run, 'resume').catch((error: unknown) => error);
    await run.decide('done');
    expect(await resuming).toMatchObject({ kind: 'refused', refusal: { code: 'internal' } });
    await cancel(run);
    expect(await run.running.result()).toMatchObject({ status: 'cancelled' });
  });
});
