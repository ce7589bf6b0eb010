/** Subscriptions and test clocks, driven through Temporal and read from Postgres. */
import { randomUUID } from 'node:crypto';
import { WithStartWorkflowOperation } from '@temporalio/client';
import postgres from 'postgres';
import { inject } from 'vitest';
import { taskQueue } from '../../../workflows/shared/contract.js';
import {
  type SubscriptionAnswer,
  type SubscriptionInput,
  subscriptionUpdates,
  subscriptionWorkflowId,
} from '../../../workflows/subscription/contract.js';
import {
  type AdvancedRequest,
  type TestClockAnswer,
  type TestClockInput,
  testClockUpdates,
  testClockWorkflowId,
} from '../../../workflows/test-clock/contract.js';
import { temporal } from '../../temporal.js';

const newId = (prefix: string) => `${prefix}_${randomUUID().replaceAll('-', '')}`;
const caller = { actor: 'test', traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`, requestId: null };
const retry = { retryBaseScale: 0.001, gatewayTimeoutSeconds: 1 };

export interface RecordRow {
  readonly kind: string;
  readonly start: string;
  readonly end: string;
  readonly amount: number;
  readonly credit: number;
  readonly charged: number;
  readonly status: string;
  readonly attempts: number;
  readonly paymentId: string | null;
}

/** A test clock and the subscriptions on it. Close it after use. */
export class Clocked {
  readonly sql = postgres(inject('databaseUrl'), { max: 2, onnotice: () => undefined });
  readonly clock = newId('clk');

  /** @param now RFC 3339 */
  async begin(now: string): Promise<void> {
    await this.sql`insert into test_clocks (id, now) values (${this.clock}, ${now})`;
  }

  close(): Promise<void> {
    return this.sql.end();
  }

  /** Starts a subscription on the clock: monthly, 1000, unless said otherwise. */
  async subscribe(wanted: Partial<SubscriptionInput> = {}): Promise<{ id: string; answer: SubscriptionAnswer }> {
    const id = newId('sub');
    const input: SubscriptionInput = {
      ...{ subscriptionId: id, customerId: 'cus_clocked', email: null, gateway: 'sandbox' },
      ...{ plan: { amount: 1000, currency: 'USD', interval: 'month' }, cardToken: 'tok_visa', backupCardToken: null },
      ...{ startAt: null, anchorDay: null, testClock: this.clock, dunningWaitsSeconds: [3600, 7200] },
      ...{ retry, caller, requestedAt: new Date().toISOString() },
      ...wanted,
    };
    const start = new WithStartWorkflowOperation('subscription', {
      ...{ workflowId: subscriptionWorkflowId(id), taskQueue, args: [input] },
      workflowIdConflictPolicy: 'USE_EXISTING',
    });
    const client = await temporal();
    const answer = await client.workflow.executeUpdateWithStart(subscriptionUpdates.opened, {
      startWorkflowOperation: start,
    });
    return { id, answer: answer as SubscriptionAnswer };
  }

  /** Sends a command. */
  async command(
    id: string,
    name: keyof typeof subscriptionUpdates,
    request: object = {},
    updateId = randomUUID(),
  ): Promise<SubscriptionAnswer> {
    const handle = (await temporal()).workflow.getHandle(subscriptionWorkflowId(id));
    return await handle.executeUpdate<SubscriptionAnswer, [object]>(name, { args: [{ ...request, caller }], updateId });
  }

  async advance(to: string): Promise<TestClockAnswer> {
    const input: TestClockInput = { clockId: this.clock, to, retry, caller };
    const start = new WithStartWorkflowOperation('testClock', {
      ...{ workflowId: testClockWorkflowId(this.clock), taskQueue, args: [input] },
      ...{ workflowIdConflictPolicy: 'USE_EXISTING', workflowIdReusePolicy: 'ALLOW_DUPLICATE' },
    });
    const client = await temporal();
    return await client.workflow.executeUpdateWithStart<typeof testClockWorkflow, TestClockAnswer, [AdvancedRequest]>(
      testClockUpdates.advanced,
      { args: [{ to }], startWorkflowOperation: start },
    );
  }

  /** How many runs its workflow has had. */
  async runs(id: string): Promise<number> {
    const { count } = await (await temporal()).workflow.count(`WorkflowId = '${subscriptionWorkflowId(id)}'`);
    return count;
  }

  /** Its row. */
  async row(id: string): Promise<{ status: string; start: Date; end: Date; credit: string; next: Date | null }> {
    const [row] = await this.sql<{ status: string; start: Date; end: Date; credit: string; next: Date | null }[]>`
      select status, period_start as start, period_end as "end", credit_balance as credit, next_at as next
        from subscriptions where id = ${id}`;
    if (row === undefined) throw new Error(`there is no subscription ${id}`);
    return row;
  }

  /** What it was billed, oldest first. */
  async records(id: string): Promise<readonly RecordRow[]> {
    return this.sql<RecordRow[]>`
      select kind, to_char(period_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') as start,
             to_char(period_end at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') as "end",
             amount::float8, credit::float8, charged::float8, status, attempts, payment_id as "paymentId"
        from billing_records where subscription_id = ${id} order by created_at, id`;
  }

  /** Its payments that were captured, in minor units. */
  async captured(id: string): Promise<number> {
    const [row] = await this.sql<{ sum: string }[]>`
      select coalesce(sum(amount), 0) as sum from payments where subscription_id = ${id} and status = 'captured'`;
    return Number(row?.sum);
  }
}

declare function testClockWorkflow(input: TestClockInput): Promise<TestClockAnswer>;
