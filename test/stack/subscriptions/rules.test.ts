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

describe('a change of plan', () => {
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

describe('a cancellation', () => {
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
    expect(await clocked.sql`select from payments where subscription_id = ${third.id}`).toHaveLength(0);
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
