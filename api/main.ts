/** An API process: serves HTTP until a signal stops it. */
import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { Logger } from 'pino';
import { type Connection, connect } from '../db/postgres/client.js';
import { createLedger } from '../db/stock/ledger.js';
import { tooStrong } from '../db/upgrade/roles.js';
import { reportError } from '../domain/error-report.js';
import { misspeltSettings } from '../domain/setting-names.js';
import { parseSettings, type Settings } from '../domain/settings.js';
import { Admission } from './admission/admission.js';
import { createApp } from './app.js';
import { answerConnectionProblems } from './http/connection-problems.js';
import { KeyRing } from './middleware/auth.js';
import { IdempotentCalls } from './middleware/idempotency.js';
import { AddressLimit, rateLimit } from './middleware/rate-limit.js';
import { createLog } from './system/log.js';
import { createMetrics } from './system/metrics.js';
import { readiness } from './system/readiness.js';
import { Sagas } from './temporal/sagas.js';

/** How long requests in flight may take once a signal stops the process. */
const drainMs = 5000;
const maxConnections = 10;

const parsed = parseSettings(process.env);
const misspelt = misspeltSettings(process.env);
if (parsed.kind === 'wrong') refuseToStart([...parsed.problems, ...misspelt]);
else await run(parsed.settings);

async function run(settings: Settings): Promise<void> {
  const { databaseUrl, temporalAddress, temporalNamespace: namespace, workflowTaskTimeoutSeconds } = settings;
  if (databaseUrl === null || temporalAddress === null) {
    const missing = { DATABASE_URL: databaseUrl, TEMPORAL_ADDRESS: temporalAddress };
    const problems = Object.entries(missing).flatMap(([name, value]) => (value === null ? `${name} is not set` : []));
    return refuseToStart([...problems, ...misspelt]);
  }
  const { log, register } = createLog({
    level: settings.logLevel,
    base: { service: 'api', pid: process.pid },
    serializers: { err: reportError },
    redact: {
      paths: [
        '*.authorization',
        '*.headers',
        '*.key',
        '*.cardToken',
        '*.email',
        'err.query',
        'err.parameters',
        'err.args',
      ],
      remove: true,
    },
  });
  for (const warning of misspelt) log.warn(warning);
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'uncaught error');
    process.exit(1);
  });
  const connection = connect(databaseUrl, {
    applicationName: 'holdfast api',
    maxConnections,
    timeoutSeconds: settings.databaseTimeoutSeconds,
  });
  const sagas = new Sagas({ address: temporalAddress, namespace, workflowTaskTimeoutSeconds });
  const calls = new IdempotentCalls(connection.sql, () => `api_${randomUUID()}`, log);
  const metrics = createMetrics();
  register(metrics.registry);
  const admission = new Admission({ limit: settings.admissionLimit, registry: metrics.registry });
  const app = createApp({
    settings,
    connection,
    ledger: metrics.stock.ledger(createLedger(connection.sql)),
    sagas,
    calls,
    admission,
    log,
    keys: new KeyRing(connection.db),
    limit: rateLimit(settings.rateLimitPerMinute),
    addresses: new AddressLimit(settings.unauthenticatedRateLimitPerMinute),
    metrics,
    notReady: readiness(connection, sagas),
  });
  warnOfStrongRole(connection, log);
  await calls.start();
  const server = createServer({ requireHostHeader: false }, app);
  answerConnectionProblems(server, app, log);
  await listen(server, settings);
  log.info({ host: settings.apiHost, port: settings.apiPort }, 'api listening');
  stopInOrder(server, { log, calls, admission, sagas, connection });
}

/** Logs a warning if the database role has more rights than this process needs. */
function warnOfStrongRole({ sql }: Connection, log: Logger): void {
  tooStrong(sql).then(
    (why) => why !== null && log.warn(why),
    (error: unknown) => log.debug({ err: error }, 'could not check the database role'),
  );
}

function listen(server: Server, { apiHost, apiPort }: Settings): Promise<void> {
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      refuseToStart([error.code === 'EADDRINUSE' ? `API_PORT ${apiPort} is taken` : `cannot listen: ${error.message}`]);
    });
    server.listen(apiPort, apiHost, resolve);
  });
}

interface Running {
  readonly log: Logger;
  readonly calls: IdempotentCalls;
  readonly admission: Admission;
  readonly sagas: Sagas;
  readonly connection: Connection;
}

/** On a signal: takes no new requests, lets running ones finish, then frees leases and connections. */
function stopInOrder(server: Server, { log, calls, admission, sagas, connection }: Running): void {
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    log.info('api stopping');
    admission.stop();
    sagas.stopWaiting();
    const drained = new Promise((resolve) => server.close(resolve));
    // A keep-alive connection becomes idle only once its last answer is sent.
    const idle = setInterval(() => server.closeIdleConnections(), 50);
    const cutOff = setTimeout(() => server.closeAllConnections(), drainMs);
    await drained;
    clearInterval(idle);
    clearTimeout(cutOff);
    await calls.stop();
    await connection.close();
    await sagas.close();
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop());
  process.on('SIGINT', () => void stop());
}

function refuseToStart(problems: readonly string[]): void {
  for (const problem of problems) console.error(problem);
  process.exit(2);
}
