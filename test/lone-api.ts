/** An API in this process whose Postgres and Temporal are out of reach: for what is decided before they are asked. */
import { createServer } from 'node:http';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { pino } from 'pino';
import { Admission } from '../api/admission/admission.js';
import { createApp } from '../api/app.js';
import type { ApiDeps } from '../api/deps.js';
import { answerConnectionProblems } from '../api/http/connection-problems.js';
import { KeyRing } from '../api/middleware/auth.js';
import { IdempotentCalls } from '../api/middleware/idempotency.js';
import { AddressLimit, rateLimit } from '../api/middleware/rate-limit.js';
import { createMetrics } from '../api/system/metrics.js';
import { Sagas } from '../api/temporal/sagas.js';
import { connect } from '../db/postgres/client.js';
import { createLedger } from '../db/stock/ledger.js';
import { parseSettings } from '../domain/settings.js';

export interface LoneApi {
  readonly port: number;
  /** Everything it has logged. */
  log(): string;
  /** Sends these bytes over a connection of its own; resolves with all that comes back before the connection ends. */
  exchange(...parts: readonly (string | Buffer)[]): Promise<string>;
  close(): Promise<void>;
}

/** What the API is made of, with nothing to reach. `close` lets it all go. */
export function loneDeps(env: Record<string, string> = {}, log = pino({ level: 'silent' })) {
  const parsed = parseSettings(env);
  if (parsed.kind === 'wrong') throw new Error(parsed.problems.join());
  const { settings } = parsed;
  const connection = connect('postgres://x:y@127.0.0.1:1/none', { applicationName: 'test', maxConnections: 1 });
  const sagas = new Sagas('127.0.0.1:1', 'default');
  const metrics = createMetrics();
  const deps: ApiDeps = {
    settings,
    connection,
    ledger: createLedger(connection.sql),
    sagas,
    calls: new IdempotentCalls(connection.sql, () => 'test', log),
    log,
    keys: new KeyRing(connection.db),
    limit: rateLimit(settings.rateLimitPerMinute),
    addresses: new AddressLimit(settings.unauthenticatedRateLimitPerMinute),
    admission: new Admission({ limit: settings.admissionLimit, registry: metrics.registry }),
    metrics,
    notReady: async () => [],
  };
  const close = async () => {
    await sagas.close();
    await connection.close();
  };
  return { deps, close };
}

export async function startLoneApi(env: Record<string, string> = {}): Promise<LoneApi> {
  const logged: string[] = [];
  const log = pino({ level: 'trace' }, { write: (line: string) => logged.push(line) });
  const { deps, close } = loneDeps(env, log);
  const app = createApp(deps);
  const server = createServer({ requireHostHeader: false, headersTimeout: 500, connectionsCheckingInterval: 100 }, app);
  answerConnectionProblems(server, app, log);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    log: () => logged.join(''),
    exchange: (...parts) =>
      new Promise((resolve, reject) => {
        const socket = connectTcp(port, '127.0.0.1');
        let answer = '';
        socket.on('data', (chunk) => {
          answer += chunk.toString('latin1');
        });
        socket.once('error', reject);
        socket.once('close', () => resolve(answer));
        socket.once('end', () => socket.end());
        for (const part of parts) socket.write(part);
      }),
    close: async () => {
      const closed = new Promise((done) => server.close(done));
      server.closeAllConnections();
      await closed;
      await close();
    },
  };
}
