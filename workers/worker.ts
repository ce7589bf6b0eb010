/** The composition of a worker: its connections, task queues and upkeep. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import {
  DefaultLogger,
  type LogEntry,
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
  Worker,
} from '@temporalio/worker';
import type { Logger } from 'pino';
import type { Around } from '../activities/context.js';
import type { Log } from '../api/system/log.js';
import type { Connection, connect } from '../db/postgres/client.js';
import { tooStrong } from '../db/upgrade/roles.js';
import type { Settings } from '../domain/settings.js';
import type { PaymentGateway } from '../gateways/payment/gateway.js';
import { createSandboxPayments } from '../gateways/payment/sandbox.js';
import { createStripePayments } from '../gateways/payment/stripe/stripe.js';
import { gatewayTaskQueue, taskQueue } from '../workflows/shared/contract.js';
import { activitiesOn } from './activities.js';
import { storableOutcomes } from './interceptors/activity-errors.js';
import { type CrashPoints, crashPoints } from './interceptors/crash-points.js';
import { startRelay } from './outbox/relay.js';
import { startLockSampler } from './upkeep/lock-sampler.js';
import { createWorkerMetrics, serveMetrics, type WorkerMetrics } from './upkeep/metrics.js';
import { ensureSchedules } from './upkeep/schedules.js';
import { untilStarted } from './upkeep/until-started.js';

export interface WorkerOptions {
  readonly settings: Settings;
  readonly log: Logger;
  /** Adds the log's metrics to the worker's. */
  readonly registerLog: Log['register'];
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  readonly sandboxUrl: string;
  readonly smtpUrl: string;
  readonly bundlePath: string;
  readonly crashFolder: string | null;
  readonly connect: typeof connect;
}

export interface RunningWorker {
  /** Drains: tasks in flight are finished or handed back to Temporal. */
  stop(): void;
  /** Ends when the worker has drained; rejects when it failed. */
  readonly done: Promise<void>;
}

export async function runWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { settings, log } = options;
  const crash = options.crashFolder === null ? null : crashPoints(options.crashFolder);
  installLogger(log, settings.logLevel);
  const connection = options.connect(options.databaseUrl, {
    applicationName: 'holdfast-worker',
    maxConnections: 10,
    timeoutSeconds: settings.databaseTimeoutSeconds,
    ...(crash && { onQuery: crash.onQuery }),
  });
  tooStrong(connection.sql).then(
    (why) => why !== null && log.warn(why),
    (error: unknown) => log.debug({ err: error }, 'the rights of the database role could not be checked'),
  );
  const temporal = await connectToTemporal(options.temporalAddress, log);
  const metrics = createWorkerMetrics();
  options.registerLog(metrics.registry);
  const client = new Client({ connection: temporal, namespace: settings.temporalNamespace });
  const processors = (await cardProcessors(options)).map((gateway) => metrics.payments.measured(gateway));
  const around: Around = crash?.around ?? ((_name, _about, act) => act());
  const common = {
    connection: temporal,
    namespace: settings.temporalNamespace,
    activities: activitiesOn(connection, client, { ...options, processors }, metrics, around),
    shutdownGraceTime: '3s',
    // Well below the shortest heartbeat timeout, so that a busy worker is not taken for a dead one.
    maxHeartbeatThrottleInterval: '3s',
    interceptors: { activity: [storableOutcomes, metrics.interceptor, ...(crash?.interceptors ?? [])] },
  };
  const workers = await Promise.all([
    Worker.create({
      ...common,
      taskQueue,
      workflowBundle: { codePath: options.bundlePath },
      // Another worker takes over a killed worker's workflows after this time.
      stickyQueueScheduleToStartTimeout: '1s',
    }),
    Worker.create({ ...common, taskQueue: gatewayTaskQueue }),
  ]);
  const metricsServer = await serveMetrics(metrics.registry, settings, log);
  // Polls before the upkeep runs: a killed worker's workflows wait for this.
  const polling = Promise.all(workers.map((worker) => worker.run()));
  const ended = new AbortController();
  const upkeep: Upkeep[] = [];
  const start = async () => {
    upkeep.push(await startUpkeep(options, connection, client, metrics, crash));
  };
  const upkeepStarted = untilStarted(start, { signal: ended.signal, log });
  const done = polling.then(async () => {
    ended.abort();
    metricsServer.close();
    // A start that hangs must not hold up the end of the process.
    await Promise.race([upkeepStarted, sleep(upkeepGraceMs)]);
    await Promise.all(upkeep.map((each) => each.stop()));
    await connection.close();
  });
  return {
    stop: () => {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    },
    done,
  };
}

const upkeepGraceMs = 2000;

interface Upkeep {
  stop(): Promise<void>;
}

/** What a worker does besides its tasks: schedules, the relay of the outbox, the lock sampler. */
async function startUpkeep(
  { settings, log }: WorkerOptions,
  connection: Connection,
  client: Client,
  metrics: WorkerMetrics,
  crash: CrashPoints | null,
): Promise<Upkeep> {
  await ensureSchedules(client, settings.expirySweepSeconds);
  const { retryBaseScale, gatewayTimeoutSeconds, deliveryCheckSeconds, deliveryMaxDays } = settings;
  const relay = await startRelay({
    connection,
    client,
    retry: { retryBaseScale, gatewayTimeoutSeconds },
    log,
    claimSeconds: settings.outboxClaimSeconds,
    workflowTaskTimeoutSeconds: settings.workflowTaskTimeoutSeconds,
    times: { deliveryCheckSeconds, deliveryMaxDays },
    reached: crash?.reached ?? (() => undefined),
  });
  // A drill kills this process at an activity's first query, so there must be no other query.
  const sampler = crash === null ? startLockSampler(connection.sql, metrics, log) : null;
  return {
    stop: async () => {
      sampler?.stop();
      await relay.stop();
    },
  };
}

/** The sandbox, and Stripe where it has a key: payments stay where they were made, whatever new ones use. */
async function cardProcessors({ settings, sandboxUrl }: WorkerOptions): Promise<PaymentGateway[]> {
  const timeoutMs = settings.gatewayTimeoutSeconds * 1000;
  const sandbox = createSandboxPayments({ baseUrl: sandboxUrl, timeoutMs });
  const { secretKey, apiBase, installation } = settings.stripe;
  if (secretKey === null) return [sandbox];
  return [sandbox, await createStripePayments({ secretKey, apiBase, installation, timeoutMs })];
}

/** Waits for the server, which may be starting at the same time. */
async function connectToTemporal(address: string, log: Logger): Promise<NativeConnection> {
  for (let attempt = 1; ; attempt++) {
    try {
      // Messages are small: compressing them costs worker and server more than the bytes do.
      return await NativeConnection.connect({ address, grpcCompression: { codec: 'none' } });
    } catch (error) {
      if (attempt === 60) throw error;
      log.debug({ err: error, attempt }, 'Temporal is not reachable yet');
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

/** Fields of a log line besides its message. The SDK's other fields only repeat these. */
const loggedFields = [
  'workflowId',
  'activityType',
  'orderId',
  'transferId',
  'refundId',
  'subscriptionId',
  'replenishmentId',
  'purchaseOrderId',
  'verificationId',
  'from',
  'to',
  'actor',
  'traceId',
  'code',
  'detail',
] as const;

/** Writes the logs of Temporal and the activities as our own JSON lines. */
function installLogger(log: Logger, level: Settings['logLevel']): void {
  const temporalLevel = level === 'trace' || level === 'debug' ? 'DEBUG' : 'INFO';
  Runtime.install({
    // Temporal's core would write to standard output in its own format, and panics where that fails.
    telemetryOptions: { logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }) } },
    logger: new DefaultLogger(temporalLevel, (entry: LogEntry) => {
      const { error, ...meta } = (entry.meta ?? {}) as Record<string, unknown>;
      const fields = { ...Object.fromEntries(loggedFields.map((name) => [name, meta[name]])), err: error };
      if (entry.level === 'ERROR') log.error(fields, entry.message);
      else if (entry.level === 'WARN') log.warn(fields, entry.message);
      else if (entry.level === 'INFO') log.info(fields, entry.message);
      else log.debug(fields, entry.message);
    }),
  });
}
