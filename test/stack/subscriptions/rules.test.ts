/** What clients' commands change, and what they cost. */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Plan } from '../../../domain/subscriptions/states.js';
import { sweepScheduleId } from '../../../workflows/sweep/contract.js';
import { sharedShop } from '../../shared.js';
import { temporal } from '../../temporal.js';
import { Clocked } from './clocked.js';
import { command } from './subscriber.js';

const shop = sharedShop();
let clocked: Clocked;
beforeEach(async () => {
  clocked = new Clocked();
  await clocked.begin('2027-01-01T00:00:00Z');
});
afterEach(() => clocked.close());

const plan = (amount: number, interval: Plan['interval'] = 'month'): Plan => ({ amount, currency: 'USD', interval });
const last = async (id: string) => (await clocked.records(id)).at(-1);
const half = '2027-01-16T12:00:00Z';

describe('a change of plan', () => {
  test('to a higher price charges the difference for the rest of the period now', async () => {
    const { id } = await clocked.subscribe({ plan: plan(1000) });
    await clocked.advance(half);
    expect(await clocked.command(id, 'change', { plan: plan(3000) })).toEqual({
      ...{ kind: 'done', status: 'active' },
      proration: {
        ...{ credit: 500, charge: 1500, net: 1000, currency: 'USD' },
        ...{ from: half, to: '2027-02-01T00:00:00Z' },
      },
    });
    expect(await last(id)).toMatchObject({ kind: 'proration', amount: 1000, credit: 0, charged: 1000, status: 'paid' });
    await clocked.advance('2027-02-01T00:00:00Z');
    expect(await last(id)).toMatchObject({ kind: 'period', amount: 3000, charged: 3000, status: 'paid' });
    expect(await clocked.captured(id)).toBe(5000);
  });

  test('to a lower price gives credit, which the next records use', async () => {
    const { id } = await clocked.subscribe({ plan: plan(3000) });
    await clocked.advance(half);
    const { proration } = await clocked.command(id, 'change', { plan: plan(1000) });
    expect(proration).toMatchObject({ credit: 1500, charge: 500, net: -1000 });
    expect(await last(id)).toMatchObject({ amount: -1000, credit: -1000, charged: 0, status: 'paid', paymentId: null });
    expect((await clocked.row(id)).credit).toBe('1000');
    await clocked.advance('2027-02-01T00:00:00Z');
    expect(await last(id)).toMatchObject({ amount: 1000, credit: 1000, charged: 0, status: 'paid', paymentId: null });
    await clocked.advance('2027-03-01T00:00:00Z');
    expect(await last(id)).toMatchObject({ amount: 1000, credit: 0, charged: 1000, status: 'paid' });
    expect((await clocked.row(id)).credit).toBe('0');
    expect(await clocked.captured(id)).toBe(4000);
  });

  test('and back at once nets 0', async () => {
    const { id } = await clocked.subscribe({ plan: plan(3000) });
    await clocked.advance(half);
    await clocked.command(id, 'change', { plan: plan(999) });
    await clocked.command(id, 'change', { plan: plan(3000) });
    expect((await clocked.row(id)).credit).toBe('0');
    expect((await clocked.records(id)).map(({ amount }) => amount).reduce((a, b) => a + b)).toBe(3000);
    expect(await clocked.captured(id)).toBe(3000);
  });

  test('that is refused by the card changes nothing', async () => {
    const { id } = await clocked.subscribe({ plan: plan(1000) });
    await clocked.command(id, 'paymentMethod', { cardToken: 'tok_declined', backupCardToken: null });
    const before = await clocked.row(id);
    const answer = await clocked.command(id, 'change', { plan: plan(3000) });
    expect(answer).toMatchObject({ kind: 'refused', refusal: { code: 'payment_declined' } });
    expect(await clocked.row(id)).toEqual(before);
    expect(await last(id)).toMatchObject({ kind: 'proration', status: 'void' });
    const [row] = await clocked.sql`select plan_amount::int as amount from subscriptions where id = ${id}`;
    expect(row?.amount).toBe(1000);
  });

  test('to another interval credits the rest, and begins a period now at the full price', async () => {
    const { id } = await clocked.subscribe({ plan: plan(1000) });
    await clocked.advance(half);
    const { proration } = await clocked.command(id, 'change', { plan: plan(9000, 'year') });
    expect(proration).toMatchObject({ credit: 500, charge: 9000, net: 8500, from: half, to: '2028-01-16T12:00:00Z' });
    expect(await last(id)).toMatchObject({ kind: 'proration', start: '2027-01-16 12:00:00', charged: 8500 });
    await clocked.advance('2028-01-16T12:00:00Z');
    expect(await last(id)).toMatchObject({ kind: 'period', start: '2028-01-16 12:00:00', end: '2029-01-16 12:00:00' });
  });

  test('to another currency is refused', async () => {
    const { id } = await clocked.subscribe({ plan: plan(1000) });
    const answer = await clocked.command(id, 'change', { plan: { ...plan(1000), currency: 'EUR' } });
    expect(answer).toMatchObject({ kind: 'refused', refusal: { code: 'validation_failed' } });
  });

  test('repeated with its id is made once', async () => {
    const { id } = await clocked.subscribe({ plan: plan(1000) });
    const updateId = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => clocked.command(id, 'change', { plan: plan(3000) }, updateId)),
    );
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(await clocked.records(id)).toHaveLength(2);
  });
});

describe('a pause', () => {
  test('charges nothing while it lasts, and a resumption begins a period now', async () => {
    const { id } = await clocked.subscribe();
    expect(await clocked.command(id, 'pause')).toMatchObject({ kind: 'done', status: 'paused' });
    expect(await clocked.command(id, 'pause')).toMatchObject({ kind: 'refused', refusal: { code: 'invalid_state' } });
    await clocked.advance('2027-05-05T05:05:05Z');
    expect(await clocked.records(id)).toHaveLength(1);
    expect(await clocked.command(id, 'resume')).toMatchObject({ kind: 'done', status: 'active' });
    expect(await last(id)).toMatchObject({ start: '2027-05-05 05:05:05', end: '2027-06-05 05:05:05', status: 'paid' });
    expect(await clocked.command(id, 'resume')).toMatchObject({ kind: 'refused', refusal: { code: 'invalid_state' } });
  });

  test('that ends in the second in which it began bills the new period', async () => {
    const { id } = await clocked.subscribe();
    await clocked.command(id, 'pause');
    expect(await clocked.command(id, 'resume')).toMatchObject({ kind: 'done', status: 'active' });
    expect(await clocked.captured(id)).toBe(2000);
  });

  test('whose resumption the card refuses goes on', async () => {
    const { id } = await clocked.subscribe();
    await clocked.command(id, 'pause');
    await clocked.command(id, 'paymentMethod', { cardToken: 'tok_declined', backupCardToken: null });
    expect(await clocked.command(id, 'resume')).toMatchObject({
      kind: 'refused',
      refusal: { code: 'payment_declined' },
    });
    expect((await clocked.row(id)).status).toBe('paused');
  });
});

describe('a cancellation', () => {
  test('at once ends it, refunds nothing and charges nothing more', async () => {
    const { id } = await clocked.subscribe();
    expect(await clocked.command(id, 'cancel', { atPeriodEnd: false })).toMatchObject({
      kind: 'done',
      status: 'cancelled',
    });
    await clocked.advance('2027-05-01T00:00:00Z');
    expect(await clocked.captured(id)).toBe(1000);
    const [row] = await clocked.sql`select card, period_start, next_at from subscriptions where id = ${id}`;
    expect(row).toEqual({ card: null, period_start: null, next_at: null });
  });

  test("at the period's end keeps it until then, and can be withdrawn", async () => {
    const { id } = await clocked.subscribe();
    const cancel = () => clocked.command(id, 'cancel', { atPeriodEnd: true });
    expect(await cancel()).toMatchObject({ kind: 'done', status: 'active' });
    expect(await clocked.command(id, 'resume')).toMatchObject({ kind: 'done', status: 'active' });
    await clocked.advance('2027-02-01T00:00:00Z');
    expect(await clocked.captured(id)).toBe(2000);
    await cancel();
    await clocked.advance('2027-03-01T00:00:00Z');
    expect((await clocked.row(id)).status).toBe('cancelled');
    expect(await clocked.captured(id)).toBe(2000);
  });

  test('during a charge stops it before its capture', async () => {
    const { id } = await clocked.subscribe();
    await clocked.command(id, 'pause');
    await clocked.command(id, 'paymentMethod', { cardToken: 'tok_slow_700', backupCardToken: null });
    const resuming = clocked.command(id, 'resume').catch(() => null);
    await expect
      .poll(async () => {
        const rows = await clocked.sql`select from subscriptions where id = ${id} and pending is not null`;
        return rows.length;
      })
      .toBe(1);
    expect(await clocked.command(id, 'cancel', { atPeriodEnd: false })).toMatchObject({
      kind: 'done',
      status: 'cancelled',
    });
    await resuming;
    expect(await clocked.captured(id)).toBe(1000);
    expect(await last(id)).toMatchObject({ status: 'void' });
  });
});

describe('a subscription', () => {
  test('with a day of the month begins with a stub in proportion', async () => {
    const { id } = await clocked.subscribe({ plan: plan(3100), anchorDay: 11 });
    expect(await last(id)).toMatchObject({ start: '2027-01-01 00:00:00', end: '2027-01-11 00:00:00', amount: 1000 });
    await clocked.advance('2027-02-11T00:00:00Z');
    expect((await clocked.records(id)).slice(1)).toMatchObject([
      { start: '2027-01-11 00:00:00', end: '2027-02-11 00:00:00', amount: 3100 },
      { start: '2027-02-11 00:00:00', end: '2027-03-11 00:00:00', amount: 3100 },
    ]);
  });

  test("whose first payment exceeds its customer's limit is refused and asks no processor; renewals are not counted", async () => {
    const limited = { customerId: randomUUID(), limits: { paymentsPerMinute: 2, amountPerDay: null } };
    const { id } = await clocked.subscribe(limited);
    await clocked.advance('2027-06-01T00:00:00Z');
    expect(await clocked.captured(id)).toBe(6000);
    expect((await clocked.subscribe(limited)).answer).toMatchObject({ kind: 'done', status: 'active' });
    const third = await clocked.subscribe(limited);
    expect(third.answer).toMatchObject({
      ...{ kind: 'refused', status: 'cancelled' },
      refusal: { code: 'customer_limit_reached', extensions: { subscriptionId: third.id } },
    });
    const [row] = await clocked.sql`select status, attempts from payments where subscription_id = ${third.id}`;
    expect(row).toEqual({ status: 'failed', attempts: [] });
  });

  test('that costs nothing asks no processor', async () => {
    const { id, answer } = await clocked.subscribe({ plan: plan(0) });
    expect(answer).toMatchObject({ kind: 'done', status: 'active' });
    expect(await last(id)).toMatchObject({ amount: 0, status: 'paid', paymentId: null, attempts: 0 });
  });

  test('goes on in a new run before its history grows long', async () => {
    const { id } = await clocked.subscribe({ plan: plan(100, 'day') });
    await clocked.advance('2027-07-01T00:00:00Z');
    expect(await clocked.records(id)).toHaveLength(182);
    await expect.poll(() => clocked.runs(id)).toBeGreaterThan(1);
    expect(await clocked.command(id, 'cancel', { atPeriodEnd: false })).toMatchObject({
      kind: 'done',
      status: 'cancelled',
    });
  });
});

describe('a subscription whose workflow is gone', () => {
  /** Runs the sweep until the workflow runs again. */
  async function swept(id: string): Promise<void> {
    const { schedule, workflow } = await temporal();
    await expect
      .poll(async () => {
        await schedule.getHandle(sweepScheduleId).trigger();
        return await workflow
          .getHandle(`subscription/${id}`)
          .describe()
          .then(
            ({ status }) => status.name,
            () => 'absent',
          );
      })
      .toBe('RUNNING');
  }

  /** Deletes its workflow and history. */
  async function forget(id: string): Promise<void> {
    const { workflow, workflowService, options } = await temporal();
    const workflowId = `subscription/${id}`;
    await workflowService.deleteWorkflowExecution({
      ...{ namespace: options.namespace, workflowExecution: { workflowId } },
    });
    await expect
      .poll(() =>
        workflow
          .getHandle(workflowId)
          .describe()
          .then(
            () => 'known',
            () => 'unknown',
          ),
      )
      .toBe('unknown');
  }

  test('because it was terminated is resumed by the sweep, and takes commands and renewals', async () => {
    const { id } = await clocked.subscribe();
    await (await temporal()).workflow.getHandle(`subscription/${id}`).terminate('by an operator');
    await swept(id);
    await clocked.advance('2027-02-01T00:00:00Z');
    expect(await clocked.captured(id)).toBe(2000);
    expect(await clocked.command(id, 'pause')).toMatchObject({ kind: 'done', status: 'paused' });
  });

  test('without a trace is started again from its row, once it is overdue', async () => {
    const { id } = await clocked.subscribe({ testClock: null });
    await forget(id);
    await clocked.sql`
      update subscriptions set period_start = now() - interval '32 days', period_end = now() - interval '1 hour',
                               anchor = now() - interval '32 days', next_at = now() - interval '1 hour'
       where id = ${id}`;
    await swept(id);
    await expect.poll(() => clocked.captured(id)).toBe(2000);
  });

  test('without a trace is started again from its row when its clock is advanced', async () => {
    const { id } = await clocked.subscribe();
    await forget(id);
    expect(await clocked.advance('2027-02-01T00:00:00Z')).toMatchObject({ kind: 'done' });
    expect(await clocked.captured(id)).toBe(2000);
  });

  test('without a trace is started again from its row by a command, though nothing of it is due', async () => {
    const { id } = await clocked.subscribe();
    await clocked.command(id, 'pause');
    await forget(id);
    const { body } = await shop.must(200, command(shop, id, 'resume'));
    expect(body.status).toBe('active');
  });
});
