/** The metrics of a worker process, for Prometheus. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { Logger } from 'pino';
import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import type { ReplenishmentObserver } from '../../activities/replenishment.js';
import { StockMetrics } from '../../db/stock/metrics.js';
import type { Settings } from '../../domain/settings.js';
import { GatewayFault } from '../../gateways/http/fault.js';
import type { SupplierGateway } from '../../gateways/supplier/gateway.js';
import { PaymentMetrics } from './payment-metrics.js';

export interface WorkerMetrics {
  readonly registry: Registry;
  readonly stock: StockMetrics;
  readonly payments: PaymentMetrics;
  readonly replenishment: ReplenishmentObserver;
  /** Counts every attempt of an activity, and those that follow a failed one. */
  readonly interceptor: ActivityInterceptorsFactory;
  /** The suppliers, with each call timed. */
  measured(suppliers: SupplierGateway): SupplierGateway;
  /** Records one sample: the sessions at work on the ledger, and how many of them waited for a lock. */
  sampledSessions(working: number, waiting: number): void;
}

export function createWorkerMetrics(): WorkerMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const sessions = new Counter({
    name: 'holdfast_ledger_sessions_sampled_total',
    help: 'Database sessions sampled at work on the ledger, by whether they waited for a lock.',
    labelNames: ['waiting'],
    registers,
  });
  for (const waiting of ['no', 'lock']) sessions.inc({ waiting }, 0);
  return {
    registry,
    stock: new StockMetrics(registry),
    payments: new PaymentMetrics(registry),
    replenishment: replenishmentObserver(registry),
    interceptor: attemptCounter(registry),
    measured: supplierTimer(registry),
    sampledSessions: (working, waiting) => {
      sessions.inc({ waiting: 'lock' }, waiting);
      sessions.inc({ waiting: 'no' }, working - waiting);
    },
  };
}

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

function replenishmentObserver(registry: Registry): ReplenishmentObserver {
  const registers = [registry];
  const delay = new Histogram({
    name: 'holdfast_replenishment_delay_seconds',
    help: 'From the plan to the order at the supplier (stage order), from there to the goods in stock (stage delivery).',
    labelNames: ['stage'],
    buckets: [1, 10, minute, 10 * minute, hour, 6 * hour, day, 3 * day, 7 * day, 14 * day, 30 * day, 60 * day],
    registers,
  });
  const ended = new Counter({
    name: 'holdfast_replenishments_total',
    help: 'Replenishments that ended, by outcome.',
    labelNames: ['outcome'],
    registers,
  });
  // An alert on the increase misses a counter that first appears at 1.
  for (const outcome of ['completed', 'failed']) ended.inc({ outcome }, 0);
  return {
    ordered: (seconds) => delay.observe({ stage: 'order' }, seconds),
    delivered: (seconds) => {
      delay.observe({ stage: 'delivery' }, seconds);
      ended.inc({ outcome: 'completed' });
    },
    failed: () => ended.inc({ outcome: 'failed' }),
  };
}

function attemptCounter(registry: Registry): ActivityInterceptorsFactory {
  const registers = [registry];
  const attempts = new Counter({
    name: 'holdfast_activity_attempts_total',
    help: 'Attempts of activities, by whether they succeeded.',
    labelNames: ['activity', 'outcome'],
    registers,
  });
  const retries = new Counter({
    name: 'holdfast_activity_retries_total',
    help: 'Attempts that followed a failed one of the same activity task.',
    labelNames: ['activity'],
    registers,
  });
  return ({ info: { activityType: activity, attempt } }) => ({
    inbound: {
      async execute(input, next) {
        if (attempt > 1) retries.inc({ activity });
        try {
          const result = await next(input);
          attempts.inc({ activity, outcome: 'succeeded' });
          return result;
        } catch (error) {
          attempts.inc({ activity, outcome: 'failed' });
          throw error;
        }
      },
    },
  });
}

function supplierTimer(registry: Registry): WorkerMetrics['measured'] {
  const durations = new Histogram({
    name: 'holdfast_supplier_call_duration_seconds',
    help: 'Calls to suppliers, by kind of call and outcome.',
    labelNames: ['call', 'outcome'],
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  });
  const timed =
    <Args extends unknown[], T>(call: string, make: (...args: Args) => Promise<T>) =>
    async (...args: Args): Promise<T> => {
      const stop = durations.startTimer({ call });
      try {
        const answer = await make(...args);
        stop({ outcome: 'answered' });
        return answer;
      } catch (error) {
        stop({ outcome: error instanceof GatewayFault ? error.fault : 'error' });
        throw error;
      }
    };
  return (suppliers) => ({
    reserve: timed('reserve', suppliers.reserve),
    findReservation: timed('find_reservation', suppliers.findReservation),
    reservationStatus: timed('reservation_status', suppliers.reservationStatus),
    cancelReservation: timed('cancel_reservation', suppliers.cancelReservation),
    availability: timed('availability', suppliers.availability),
    placeOrder: timed('place_order', suppliers.placeOrder),
    findOrder: timed('find_order', suppliers.findOrder),
    orderStatus: timed('order_status', suppliers.orderStatus),
    cancelOrder: timed('cancel_order', suppliers.cancelOrder),
    close: suppliers.close,
  });
}

export interface MetricsServer {
  readonly port: number;
  close(): void;
}

/**
 * Serves the metrics at `/metrics` on METRICS_HOST. Picks a free port where another worker has taken the configured
 * one.
 */
export async function serveMetrics(
  registry: Registry,
  { metricsHost, workerMetricsPort }: Pick<Settings, 'metricsHost' | 'workerMetricsPort'>,
  log: Logger,
): Promise<MetricsServer> {
  const server = createServer((req, res) => {
    if (req.url !== '/metrics') return void res.writeHead(404).end();
    registry.metrics().then(
      (text) => res.writeHead(200, { 'content-type': registry.contentType }).end(text),
      () => res.writeHead(500).end(),
    );
  });
  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, metricsHost, () => {
        server.off('error', reject);
        resolve();
      });
    });
  await listen(workerMetricsPort).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    log.warn({ port: workerMetricsPort }, 'WORKER_METRICS_PORT is taken; the metrics use another port');
    await listen(0);
  });
  const { port } = server.address() as AddressInfo;
  log.info({ host: metricsHost, port }, 'worker serves metrics at /metrics');
  return {
    port,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
