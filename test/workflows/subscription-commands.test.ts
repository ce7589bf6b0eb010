/** Commands that stop a charge come before everything else, and what they have stopped is not begun again. */
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { nothingCharged } from '../../domain/purchase/steps.js';
import type { SubscriptionState } from '../../domain/subscriptions/steps.js';
import type { ChargeOrder } from '../../domain/subscriptions/subscription.js';
import { subscriptionWorkflowId } from '../../workflows/subscription/contract.js';
import { authorized, captured } from './answers.js';
import { anyInput, faultyWorker, newId, type SagaRun, type Script } from './faulty-worker.js';

const state = (status: SubscriptionState['status'], more: Partial<SubscriptionState> = {}): SubscriptionState => ({
  ...{ status, nextAt: null, due: false, charge: null },
  ...more,
});
const done = (after: SubscriptionState, more: object = {}) => ({
  ...{ outcome: 'done', state: after, transitions: [] },
  ...more,
});
const order = (paymentId: string, purpose: ChargeOrder['purpose']): ChargeOrder => ({
  ...{ paymentId, purpose, amount: 900, currency: 'GBP', backupCard: null, abandoned: [], final: [] },
  ...{ card: { token: 'tok_1', customer: null }, customerInitiated: purpose === 'open' },
});

/** Postgres as far as these tests need it: a charge that is stopped is due again, as the domain decides. */
class Row {
  status: SubscriptionState['status'] = 'scheduled';
  due = false;
  charge: ChargeOrder | null = null;
  begun = 0;
  /** The renewal is due as soon as the first charge is paid. */
  dueOnceOpened = false;

  constructor(readonly opens: 'at once' | 'later') {}

  get state(): SubscriptionState {
    const { status, due, charge } = this;
    return state(status, { due, charge });
  }

  begin(purpose: ChargeOrder['purpose']): void {
    this.due = false;
    this.charge = order(`pay_${++this.begun}`, purpose);
  }

  answer = (more: object = {}) => done(this.state, more);

  /** @param whileAsked runs while the processor authorizes this payment */
  script(whileAsked: (paymentId: string) => Promise<void>): Script {
    return {
      storeCard: ({ token }) => ({ kind: 'stored', card: { token, customer: null } }),
      openSubscription: () => {
        if (this.opens === 'later') return this.answer();
        this.begin('open');
        return this.answer({ begun: this.charge?.paymentId });
      },
      dueSubscription: () => {
        if (this.due && this.charge === null) this.begin(this.status === 'scheduled' ? 'open' : 'period');
        return this.answer();
      },
      settleSubscription: ({ charged }) => {
        this.due = charged === 'stopped' || (this.dueOnceOpened && this.begun === 1);
        this.charge = null;
        if (charged === 'captured') this.status = 'active';
        return this.answer();
      },
      pauseSubscription: () => {
        if (this.charge !== null) return this.answer({ busy: true });
        this.status = 'paused';
        this.due = false;
        return this.answer();
      },
      cancelSubscription: () => {
        if (this.charge !== null) return this.answer({ busy: true });
        this.status = 'cancelled';
        this.due = false;
        return this.answer();
      },
      changeSubscription: () =>
        this.due || this.charge !== null ? this.answer({ busy: true }) : this.answer({ prorated: undefined }),
      authorizeCard: async ({ paymentId }) => {
        await whileAsked(paymentId);
        // Commands that have arrived are delivered before the capture.
        return { ...authorized, heldTaskMs: 60_000 };
      },
    };
  }
}

const begin = faultyWorker({
  chargeCard: nothingCharged,
  scoreFraud: () => 0.1,
  captureCard: () => captured,
  undoCard: () => undefined,
  abandonPayment: () => ({ status: 'pending', failure: null }),
});

const caller = { actor: 'test', traceparent: '', requestId: null };
const send = (run: SagaRun, name: string, request: object = {}) =>
  run.running.executeUpdate<unknown, [object]>(name, { args: [{ ...request, caller }], updateId: randomUUID() });
const opened = (run: SagaRun) => run.running.executeUpdate('opened', { updateId: randomUUID() });

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

const authorizations = (run: SagaRun) => run.argsOf('authorizeCard').map(([{ paymentId }]) => paymentId);
const stops = [
  ['pause', 'pauseSubscription', 'paused'],
  ['cancel', 'cancelSubscription', 'cancelled'],
] as const;

/** A subscription whose payment `slow` meets the command: its signal is at the server before the card is authorized. */
async function met(row: Row, name: string, slow: string): Promise<SagaRun> {
  const holder: { run: SagaRun | null } = { run: null };
  const script = row.script(async (paymentId) => {
    if (paymentId === slow) await holder.run?.running.signal(name);
  });
  holder.run = await subscribe(script);
  return holder.run;
}

async function end(run: SagaRun, row: Row): Promise<void> {
  if (row.status !== 'cancelled') await run.running.signal('cancel');
  expect(await run.running.result()).toMatchObject({ status: 'cancelled' });
}

const plan = { amount: 900, currency: 'GBP', interval: 'month' };

describe.each(stops)('a %s during a slow charge', (name, step, status) => {
  test.each([
    ['on real time', async () => undefined],
    ['behind a change that waits for it', (run: SagaRun) => send(run, 'change', { plan })],
    ['on a clock', (run: SagaRun) => send(run, 'advance', { to: '2027-02-01T00:00:00Z' })],
  ])('of a renewal %s stops it once, and it is not begun again', async (how, act) => {
    const row = new Row('at once');
    row.dueOnceOpened = how === 'on real time';
    const run = await met(row, name, 'pay_2');
    await opened(run);
    row.due ||= !row.dueOnceOpened;
    await act(run);
    await run.until(step);
    await expect.poll(() => row.status).toBe(status);
    expect(authorizations(run)).toEqual(['pay_1', 'pay_2']);
    expect(run.argsOf('undoCard')).toHaveLength(1);
    expect(run.argsOf('captureCard')).toHaveLength(1);
    await end(run, row);
  });
});

describe('a first charge', () => {
  test.each(['at once', 'later'] as const)('%s is stopped by a cancel once, and not begun again', async (opens) => {
    const row = new Row(opens);
    row.due = opens === 'later';
    const run = await met(row, 'cancel', 'pay_1');
    expect(await run.running.result()).toMatchObject({ status: 'cancelled' });
    expect(authorizations(run)).toEqual(['pay_1']);
    expect(run.argsOf('undoCard')).toHaveLength(1);
  });

  test.each(['at once', 'later'] as const)('%s is not stopped by a pause, which waits for it', async (opens) => {
    const row = new Row(opens);
    row.due = opens === 'later';
    const run = await met(row, 'pause', 'pay_1');
    expect(await opened(run)).toMatchObject({ kind: 'done', status: opens === 'later' ? 'scheduled' : 'active' });
    await expect.poll(() => row.status).toBe('paused');
    expect(authorizations(run)).toEqual(['pay_1']);
    expect(run.argsOf('undoCard')).toHaveLength(0);
    await end(run, row);
  });
});
