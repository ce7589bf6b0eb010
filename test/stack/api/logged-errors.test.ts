/** Database errors that quote rows and parameters leave nothing of them in any log or in Temporal's history. */
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest';
import { Books } from '../../database/books.js';
import { sharedShop } from '../../shared.js';
import { eventually } from '../../shop.js';

/** The tests' own constraints refuse rows that contain this. */
const canary = `canary${randomUUID().slice(0, 8)}`;
const shop = sharedShop();
const tables = { suppliers: 'name', api_keys: 'name', orders: 'customer_name', payments: 'reference' } as const;

let books: Books;
let temporal: Connection;
beforeAll(async () => {
  books = await Books.open();
  temporal = await Connection.connect({ address: inject('temporalAddress') });
});
const dropAll = async () => {
  for (const table of Object.keys(tables))
    await books.sql.unsafe(`alter table ${table} drop constraint if exists no_canary`);
};
afterEach(dropAll);
afterAll(async () => {
  await temporal.close();
  await books.close();
});

async function refuseCanary(table: keyof typeof tables): Promise<void> {
  const check = `check (${tables[table]} is null or ${tables[table]} not like '%${canary}%')`;
  await books.sql.unsafe(`alter table ${table} add constraint no_canary ${check} not valid`);
}

/** Every line of every log of the stack. */
function logs(): string {
  const folder = join(inject('home'), 'logs');
  return readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n');
}

test('in the API: a name, and the hash of a key', async () => {
  await refuseCanary('suppliers');
  await refuseCanary('api_keys');
  const supplier = { name: `${canary} Ltd`, active: true, minOrderQuantity: 1, maxOrderQuantity: 2 };
  const failed = [
    await shop.post('/api/suppliers', supplier),
    await shop.post('/api/keys', { name: `${canary} key`, scopes: ['orders:read'] }),
  ];
  expect(failed.map(({ status }) => status)).toEqual([500, 500]);
  await eventually('the errors to be logged', async () =>
    failed.every(({ body }) => logs().includes(`"requestId":"${body.requestId}","msg":"unexpected error"`)),
  );
  const lines = logs().split('\n');
  for (const { body } of failed) {
    const line = lines.find((text) => text.includes(body.requestId) && text.includes('unexpected error'));
    const { err } = JSON.parse(line ?? '{}');
    expect(err.cause).toMatchObject({ type: 'PostgresError', code: '23514', constraint: 'no_canary' });
    expect(err.statement).toContain('insert into');
    // Only the key's hash was a parameter, and a hash is 64 digits in a row.
    expect(line).not.toMatch(/[0-9a-f]{64}/);
  }
  expect(logs()).not.toContain(canary);
});

test("in a worker or in Temporal's history: a customer's name and mail address, and a card's token", async () => {
  const sku = await shop.product(2);
  await refuseCanary('orders');
  const customer = { name: `${canary} Jane`, email: `${canary}@example.test` };
  const payment = { cardToken: `tok_${canary}` };
  const request = { lines: [{ sku, quantity: 1 }], customer, payment, confirm: true };
  const { status, body } = await shop.post('/api/orders', request, { prefer: 'wait=2' });
  expect(status).toBe(202);
  const workflow = new Client({ connection: temporal, namespace: inject('temporalNamespace') }).workflow;
  const handle = workflow.getHandle(`order/${body.id}`);
  const failure = await eventually('the step to have failed for good or to be retried', async () => {
    const { pendingActivities } = (await handle.describe()).raw;
    const { events } = await handle.fetchHistory();
    const failures = [
      ...(pendingActivities ?? []).map(({ lastFailure }) => lastFailure),
      ...(events ?? []).map((event) => event.activityTaskFailedEventAttributes?.failure),
      ...(events ?? []).map((event) => event.markerRecordedEventAttributes?.failure),
    ].filter((each) => each !== null && each !== undefined);
    return failures.length > 0 && JSON.stringify(failures);
  });
  expect(failure).toContain('23514');
  expect(failure).not.toContain(canary);
  // Details are encoded, so search the decoded text.
  for (const [, data] of failure.matchAll(/"data":"([^"]+)"/g))
    expect(Buffer.from(data ?? '', 'base64').toString('utf8')).not.toContain(canary);
  await eventually('the failure to be logged', async () => logs().includes('no_canary'));
  expect(logs()).not.toContain(canary);
  await dropAll();
  await eventually('the order to end', async () =>
    ['confirmed', 'failed', 'cancelled'].includes((await shop.get(`/api/orders/${body.id}`)).body?.status),
  );
});
