/** A decision about a subscription is written whole, once, and only where nothing has changed since it was read. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stepIds } from '../../../activities/subscription-steps.js';
import { abandonPayment } from '../../../db/payments/queries.js';
import {
  createSubscriptionStore,
  type SubscriptionStore,
  type SubscriptionWrite,
} from '../../../db/subscriptions/store.js';
import type { PaymentRecord } from '../../../domain/orders/steps.js';
import { due } from '../../../domain/subscriptions/due.js';
import { open } from '../../../domain/subscriptions/opening.js';
import { settle } from '../../../domain/subscriptions/settle.js';
import { subscriptionStepKey } from '../../../domain/subscriptions/steps.js';
import type { Decision, Snapshot, Subscription } from '../../../domain/subscriptions/subscription.js';
import { Books } from '../books.js';

let books: Books;
let stores: readonly [SubscriptionStore, SubscriptionStore];
beforeAll(async () => {
  books = await Books.open();
  stores = [createSubscriptionStore(books.connection), createSubscriptionStore(books.another(4))];
});
afterAll(() => books.close());

const start = '2027-01-01T00:00:00Z';
const renewal = '2027-02-01T00:00:00Z';

const begun = (subscription: Subscription, { changes, records }: Decision): SubscriptionWrite['begins'] => {
  const id = changes.pending?.paymentId;
  const { customerId, email, gateway, plan } = subscription;
  const amount = records[0]?.charged ?? 0;
  return id === undefined ? null : { id, amount, currency: plan.currency, customerId, email, gateway };
};

/** What a step writes for a decision. */
function written(subscription: Subscription, from: number | null, decision: Decision): SubscriptionWrite {
  return {
    ...{ key: randomUUID(), from, actor: 'test', records: decision.records, payment: null, mails: [] },
    subscription: { ...subscription, ...decision.changes, version: (from ?? -1) + 1 },
    begins: begun(subscription, decision),
    audit: [{ action: `subscription.${decision.event}`, outcome: 'done', detail: {} }],
    result: { outcome: 'done' },
  };
}

/** The step that opens a subscription, which begins its first charge. */
function opening(customerId = 'cus_1') {
  const id = `sub_${randomUUID().replaceAll('-', '')}`;
  const { subscription, decision } = open(
    {
      ...{ subscriptionId: id, key: randomUUID(), actor: 'test', traceId: '', requestedAt: start },
      ...{ customerId, email: 'a@example.com', gateway: 'sandbox', startAt: null, anchorDay: null },
      ...{ plan: { amount: 1000, currency: 'USD', interval: 'month' }, testClock: null, refusal: null },
      ...{ card: { token: 'tok_visa', customer: null }, backupCard: null },
    },
    start,
    stepIds,
  );
  return { id, write: written(subscription, null, decision) };
}

/** A subscription whose first charge is under way. */
async function opened() {
  const { id, write } = opening();
  expect(await stores[0].write(write)).toEqual({ outcome: 'done' });
  return { id, write };
}

async function read(id: string, now: string): Promise<Snapshot & { readonly abandoned: readonly string[] }> {
  const found = await stores[0].read(id);
  if (found === null) throw new Error(`there is no subscription ${id}`);
  return { ...found, now };
}

const recordOf = (at: Snapshot, status: PaymentRecord['status']): PaymentRecord => ({
  ...{ id: at.subscription.pending?.paymentId ?? '', status, amount: 1000, currency: 'USD', orderId: null },
  ...{ customerId: 'cus_1', email: 'a@example.com', reference: at.subscription.id, fraudScore: null },
  ...{ cardUsed: status === 'captured' ? 'primary' : null, attempts: [], providerReference: 'auth_1', failure: null },
});

/** The step that settles the charge under way as captured. */
async function settling(id: string): Promise<SubscriptionWrite> {
  const at = await read(id, start);
  const decision = settle(at, { kind: 'captured', attempts: [] }, []);
  if (decision === null) throw new Error('nothing is being charged');
  const payment = recordOf(at, 'captured');
  const mails = [{ template: 'receipt', paymentId: payment.id }] as const;
  return { ...written(at.subscription, at.subscription.version, decision), payment, mails };
}

/** Everything that a step may change. */
async function facts(id: string) {
  const [row] = await books.sql`select status, version, period_end as "end" from subscriptions where id = ${id}`;
  const [counts] = await books.sql`
    select (select count(*)::int from billing_records where subscription_id = ${id}) as records,
           (select count(*)::int from payments where subscription_id = ${id}) as payments,
           (select count(*)::int from payments where subscription_id = ${id} and status = 'captured') as captured,
           (select count(*)::int from subscription_steps where subscription_id = ${id}) as steps,
           (select count(*)::int from audit_log where subject = ${`subscription/${id}`}) as audit,
           (select count(*)::int from outbox where payload->>'paymentId' in
             (select p.id from payments p where p.subscription_id = ${id})) as mails`;
  return { status: row?.status, version: row?.version, ...counts };
}

async function active() {
  const { id } = await opened();
  expect(await stores[0].write(await settling(id))).toEqual({ outcome: 'done' });
  return id;
}

describe('a step of a subscription', () => {
  test('writes the subscription, its record, its payment, the mail, the audit and its own result together', async () => {
    const { id } = await opened();
    expect(await facts(id)).toEqual({
      ...{ status: 'scheduled', version: 0, records: 1, payments: 1, captured: 0, steps: 1, audit: 1, mails: 0 },
    });
    await stores[0].write(await settling(id));
    expect(await facts(id)).toEqual({
      ...{ status: 'active', version: 1, records: 1, payments: 1, captured: 1, steps: 2, audit: 2, mails: 1 },
    });
  });

  test('made 20 times at once by two processes is written once', async () => {
    const id = await active();
    const at = await read(id, renewal);
    const decision = due(at, stepIds);
    if (decision === null) throw new Error('nothing is due');
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        stores[index % 2 ? 1 : 0].write(written(at.subscription, at.subscription.version, decision)),
      ),
    );
    expect(results.filter(({ outcome }) => outcome === 'done')).toHaveLength(1);
    expect(results.filter(({ outcome }) => outcome === 'stale')).toHaveLength(19);
    expect(await facts(id)).toMatchObject({ version: 2, records: 2, payments: 2, steps: 3 });
  });

  test('that opens the same subscription 20 times makes one', async () => {
    const { id, write } = await opened();
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, index) => stores[index % 2 ? 1 : 0].write({ ...write, key: randomUUID() })),
    );
    expect(new Set(results.map(({ outcome }) => outcome))).toEqual(new Set(['stale']));
    expect(await facts(id)).toMatchObject({ version: 0, records: 1, steps: 1 });
  });

  test('that was decided from an older version changes nothing, not even the payment', async () => {
    const { id } = await opened();
    const late = await settling(id);
    await stores[0].write(await settling(id));
    const before = await facts(id);
    const declined = { ...late, payment: recordOf(await read(id, start), 'declined') };
    expect(await stores[1].write(declined)).toEqual({ outcome: 'stale' });
    expect(await facts(id)).toEqual(before);
  });

  test('with a payment whose card was given up records nothing of it', async () => {
    const { id } = await opened();
    const late = await settling(id);
    await abandonPayment(books.sql, { ...recordOf(await read(id, start), 'pending') }, 'primary');
    expect((await read(id, start)).abandoned).toEqual(['primary']);
    const before = await facts(id);
    expect(await stores[0].write(late)).toMatchObject({ outcome: 'standing', standing: { status: 'pending' } });
    expect(await facts(id)).toEqual(before);
  });

  test('that Postgres refuses in one part leaves nothing of the others', async () => {
    const { id } = await opened();
    const step = await settling(id);
    const before = await facts(id);
    const records = step.records.map((record) => ({ ...record, id: `${record.id}x`, credit: 1 }));
    await expect(stores[0].write({ ...step, records })).rejects.toMatchObject({ code: '23514' });
    expect(await facts(id)).toEqual(before);
    expect(await stores[0].write(step)).toEqual({ outcome: 'done' });
  });
});

describe('a first payment', () => {
  test('that is begun again is still the one that its customer asked for', async () => {
    for (const begun of ['pay_1', undefined]) {
      const { id, write } = opening();
      const result = { outcome: 'done', ...(begun !== undefined && { begun }) } as const;
      await stores[0].write({ ...write, key: subscriptionStepKey(id, 'open', 'once'), result });
      const at = await read(id, start);
      const stopped = settle(at, { kind: 'stopped' }, []);
      if (stopped === null) throw new Error('nothing is being charged');
      await stores[0].write(written(at.subscription, at.subscription.version, stopped));
      expect(due(await read(id, start), stepIds)?.changes.pending).toMatchObject({
        ...{ purpose: 'open', customerInitiated: begun !== undefined },
      });
    }
  });

  const perDay = (amountPerDay: number) => ({ limits: { paymentsPerMinute: null, amountPerDay } });

  test("beyond its customer's limits is not begun, and nothing is written", async () => {
    const customerId = `cus_${randomUUID()}`;
    const [first, second] = [opening(customerId), opening(customerId)];
    expect(await stores[0].write({ ...first.write, ...perDay(1500) })).toEqual({ outcome: 'done' });
    expect(await stores[0].write({ ...second.write, ...perDay(1500) })).toMatchObject({
      ...{ outcome: 'limited', retryAfterSeconds: expect.any(Number) },
    });
    expect(await facts(second.id)).toMatchObject({ status: undefined, records: 0, payments: 0, steps: 0 });
    expect(await stores[0].write({ ...second.write, ...perDay(2000) })).toEqual({ outcome: 'done' });
  });

  test('of the same customers in another order at once waits for no other for ever', async () => {
    const customers = Array.from({ length: 20 }, () => `cus_${randomUUID()}`);
    const write = (store: SubscriptionStore, ids: readonly string[]) =>
      ids.map((id) => store.write({ ...opening(id).write, ...perDay(5000) }));
    const results = await Promise.all([...write(stores[0], customers), ...write(stores[1], customers.toReversed())]);
    for (const result of results) expect(result).toEqual({ outcome: 'done' });
  });
});

describe('a period', () => {
  test('is billed once, even by a direct write; a void record makes room', async () => {
    const id = await active();
    const again = (status: string) => books.sql`
      insert into billing_records (id, subscription_id, kind, period_start, period_end, amount, credit, charged, status,
                                   lines, created_at)
      values (${`bil_${randomUUID()}`}, ${id}, 'period', ${start}, ${renewal}, 1000, 0, 1000, ${status}, '[]', now())`;
    await again('void');
    await expect(again('open')).rejects.toMatchObject({ code: '23505' });
    await books.sql`update billing_records set status = 'void' where subscription_id = ${id}`;
    await again('open');
  });
});

describe('a subscription', () => {
  test('cannot make an unknown transition, even by a direct write', async () => {
    const id = await active();
    await expect(books.sql`update subscriptions set status = 'scheduled' where id = ${id}`).rejects.toThrow(
      'cannot go from active to scheduled',
    );
  });
});
