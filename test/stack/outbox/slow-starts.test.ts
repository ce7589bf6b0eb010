/** A relay while Temporal is slow to start workflows. */
import { Client, type WorkflowClientInterceptor } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import pino from 'pino';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { startRelay } from '../../../workers/outbox/relay.js';
import { replenishmentWorkflowId } from '../../../workflows/replenishment/contract.js';
import { type QuietBooks, quietBooks } from '../../database/outbox/books.js';
import { eventually } from '../../shop.js';

let books: QuietBooks;
let temporal: NativeConnection;
beforeAll(async () => {
  books = await quietBooks();
  temporal = await NativeConnection.connect({ address: inject('temporalAddress') });
});
afterAll(async () => {
  await temporal?.close();
  await books?.close();
});

/** Sells one unit of a product, which leaves it low. */
async function becomesLow(): Promise<string> {
  const sku = await books.product(6, 5);
  await books.apply([{ kind: 'consume', sku, location: 'main', quantity: 1 }]);
  return sku;
}

async function rowOf(sku: string): Promise<{ delivered: boolean; lastError: string | null } | undefined> {
  const [row] = await books.connection.sql<{ delivered: boolean; lastError: string | null }[]>`
    select delivered_at is not null as delivered, last_error as "lastError" from outbox where sku = ${sku}`;
  return row;
}

it('a replenishment that is slow to start holds up no other, and neither do ten of them', async () => {
  const slow = [];
  for (let count = 0; count < 10; count++) slow.push(await becomesLow());
  const slowIds = slow.map((sku) => replenishmentWorkflowId(sku, 'main'));
  const asked = new Set<string>();
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const holdBack: WorkflowClientInterceptor = {
    async startWithDetails(input, next) {
      const { workflowId } = input.options;
      asked.add(workflowId);
      if (slowIds.includes(workflowId)) await released;
      return next(input);
    },
  };
  const relay = await startRelay({
    connection: books.another(),
    client: new Client({ connection: temporal, interceptors: { workflow: [holdBack] } }),
    retry: { retryBaseScale: 0.01, gatewayTimeoutSeconds: 1 },
    times: { deliveryCheckSeconds: 1, deliveryMaxDays: 1 },
    claimSeconds: 10,
    workflowTaskTimeoutSeconds: 5,
    log: pino({ level: 'silent' }),
    reached: () => undefined,
  });
  try {
    await eventually('all of them to be under way', async () => slowIds.every((id) => asked.has(id)));
    const quick = await becomesLow();
    await eventually('the other to be delivered', async () => (await rowOf(quick))?.delivered);
    // None of them was given up meanwhile; all are still in flight.
    for (const sku of slow) expect(await rowOf(sku)).toEqual({ delivered: false, lastError: null });
    release();
    for (const sku of slow) await eventually(`${sku} to be delivered`, async () => (await rowOf(sku))?.delivered);
  } finally {
    release();
    await relay.stop();
  }
});
