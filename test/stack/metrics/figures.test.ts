import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { connect } from '../../../db/postgres/client.js';
import { createLedger } from '../../../db/stock/ledger.js';
import { startLockSampler } from '../../../workers/upkeep/lock-sampler.js';
import { createWorkerMetrics, serveMetrics } from '../../../workers/upkeep/metrics.js';
import { sharedShop } from '../../shared.js';
import { eventually } from '../../shop.js';
import { Supply } from '../replenishment/supply.js';

const shop = sharedShop();
const supply = new Supply(shop, inject('sandboxUrl'));
const connection = connect(inject('databaseUrl'), { applicationName: 'test', maxConnections: 4 });
const quiet = pino({ level: 'silent' });
afterAll(() => connection.close());

/** The sum of a metric with these labels over all workers of the run. */
async function workers(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
  const texts = await Promise.all(
    [1, 2].map(async (index) => {
      const lines = readFileSync(join(inject('home'), 'logs', `worker-${index}.log`), 'utf8')
        .trim()
        .split('\n');
      const said = lines
        .map((line) => JSON.parse(line))
        .filter(({ msg }) => msg === 'worker serves metrics at /metrics');
      return (await fetch(`http://127.0.0.1:${said.at(-1).port}/metrics`)).text();
    }),
  );
  return sumOf(texts.join('\n'), name, labels);
}

async function api(name: string, labels: Readonly<Record<string, string>>): Promise<number> {
  const texts = await Promise.all(inject('apiUrls').map(async (url) => (await fetch(`${url}/metrics`)).text()));
  return sumOf(texts.join('\n'), name, labels);
}

function sumOf(text: string, name: string, labels: Readonly<Record<string, string>>): number {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => Object.entries(labels).every(([label, value]) => line.includes(`${label}="${value}"`)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/** Other tests share the stack, so a metric grows by at least what this test did. */
async function grows(by: number, figure: () => Promise<number>, act: () => Promise<unknown>): Promise<void> {
  const before = await figure();
  await act();
  await eventually('the figure to grow', async () => (await figure()) >= before + by, 10_000);
}

describe('figures', () => {
  test('the API counts requests for goods and their outcomes', async () => {
    const sku = await shop.product(1);
    const reserve = () => shop.post('/api/reservations', { sku, quantity: 1 });
    const requests = (outcome: string) => () => api('holdfast_stock_requests_total', { request: 'reserve', outcome });
    await grows(1, requests('met'), reserve);
    await grows(2, requests('insufficient_stock'), async () => [await reserve(), await reserve()]);
    await grows(
      1,
      () => api('holdfast_stock_operation_duration_seconds_count', { kind: 'reserve' }),
      async () => shop.post('/api/reservations', { sku: await shop.product(1), quantity: 1 }),
    );
  });

  test('the workers count order lines, and how orders end', async () => {
    const sku = await shop.product(2);
    const order = () =>
      shop.order({ lines: [{ sku, quantity: 2 }], confirm: true, payment: { cardToken: 'tok_visa' } });
    const sagas = (outcome: string) => () => workers('holdfast_sagas_total', { saga: 'order', outcome });
    await grows(1, sagas('confirmed'), order);
    const unmet = () => workers('holdfast_stock_requests_total', { request: 'order', outcome: 'insufficient_stock' });
    await grows(1, unmet, () => grows(1, sagas('failed'), order));
  });

  test('the workers count payments by outcome, time them, and time calls to the processor', async () => {
    const pay = (cardToken: string) =>
      shop.post('/api/payments', { amount: 100, currency: 'USD', cardToken }, { prefer: 'wait=30' });
    const ended = (outcome: string) => () => workers('holdfast_payments_total', { gateway: 'sandbox', outcome });
    const timed = () => workers('holdfast_payment_duration_seconds_count', { gateway: 'sandbox' });
    const calls = () =>
      workers('holdfast_payment_call_duration_seconds_count', { call: 'capture', outcome: 'answered' });
    await grows(1, calls, () => grows(1, timed, () => grows(1, ended('captured'), () => pay('tok_visa'))));
    await grows(1, ended('declined'), () => pay('tok_declined'));
    const sku = await shop.product(1);
    const order = () =>
      shop.order({ lines: [{ sku, quantity: 1 }], confirm: true, payment: { cardToken: 'tok_visa' } });
    await grows(1, timed, () => grows(1, ended('captured'), order));
  });

  test('the workers time replenishments and supplier calls, and count attempts and retries', async () => {
    const delays = (stage: string) => () => workers('holdfast_replenishment_delay_seconds_count', { stage });
    const ended = (outcome: string) => () => workers('holdfast_replenishments_total', { outcome });
    const replenish = async () => supply.ended(await supply.replenish(await supply.product()));
    await grows(1, delays('order'), () => grows(1, delays('delivery'), () => grows(1, ended('completed'), replenish)));
    const fail = async () => {
      const sku = await supply.product({}, { order: 'error' });
      await supply.ended(await supply.replenish(sku));
    };
    const attempts = () =>
      workers('holdfast_activity_attempts_total', { activity: 'placeSupplierOrder', outcome: 'failed' });
    const retries = () => workers('holdfast_activity_retries_total', { activity: 'placeSupplierOrder' });
    const calls = () =>
      workers('holdfast_supplier_call_duration_seconds_count', { call: 'place_order', outcome: 'server_error' });
    await grows(3, attempts, () => grows(1, retries, () => grows(3, calls, () => grows(1, ended('failed'), fail))));
  });

  test('sessions that wait for a lock on the ledger are counted', async () => {
    const sku = await shop.product(5);
    const metrics = createWorkerMetrics();
    const server = await serveMetrics(metrics.registry, { metricsHost: '127.0.0.1', workerMetricsPort: 0 }, quiet);
    const sampler = startLockSampler(connection.sql, metrics, quiet);
    const waiting = async () => {
      const text = await (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text();
      return sumOf(text, 'holdfast_ledger_sessions_sampled_total', { waiting: 'lock' });
    };
    expect(await waiting()).toBe(0);
    const ledger = createLedger(connection.sql);
    const commands = [{ kind: 'consume', sku, location: 'main', quantity: 1 }] as const;
    const consumed = await connection.sql.begin(async (sql) => {
      await sql`select from stock_levels where sku = ${sku} for update`;
      const waits = ledger.apply([{ key: `test/${randomUUID()}`, actor: 'test', commands }]);
      await eventually('a sample', async () => (await waiting()) > 0, 10_000);
      // Wrapped, because a returned promise would be awaited before the lock is released.
      return { waits };
    });
    expect(await consumed.waits).toMatchObject([{ outcome: 'done' }]);
    sampler.stop();
    server.close();
  });

  test('a taken port is replaced', async () => {
    const serveAt = (workerMetricsPort: number) =>
      serveMetrics(createWorkerMetrics().registry, { metricsHost: '127.0.0.1', workerMetricsPort }, quiet);
    const first = await serveAt(0);
    const second = await serveAt(first.port);
    expect(second.port).not.toBe(first.port);
    for (const { port } of [first, second]) {
      expect((await fetch(`http://127.0.0.1:${port}/metrics`)).headers.get('content-type')).toMatch(/^text\/plain/);
      expect((await fetch(`http://127.0.0.1:${port}/else`)).status).toBe(404);
    }
    first.close();
    second.close();
  });

  // On Linux all of 127.0.0.0/8 is this machine, so the test can try another of its addresses.
  test.skipIf(process.platform !== 'linux')('a worker serves its metrics only on METRICS_HOST', async () => {
    const { registry } = createWorkerMetrics();
    const closed = await serveMetrics(registry, { metricsHost: '127.0.0.1', workerMetricsPort: 0 }, quiet);
    const open = await serveMetrics(registry, { metricsHost: '0.0.0.0', workerMetricsPort: 0 }, quiet);
    await expect(fetch(`http://127.0.0.2:${closed.port}/metrics`)).rejects.toThrow();
    expect((await fetch(`http://127.0.0.2:${open.port}/metrics`)).status).toBe(200);
    closed.close();
    open.close();
  });
});
