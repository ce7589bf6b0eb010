/** The API's dependencies, for tests that need no server. */
import { pino } from 'pino';
import { connect } from '../db/postgres/client.js';
import { createLedger } from '../db/stock/ledger.js';
import { parseSettings } from '../domain/settings.js';
import { Admission } from './admission/admission.js';
import type { ApiDeps } from './deps.js';
import { KeyRing } from './middleware/auth.js';
import { IdempotentCalls } from './middleware/idempotency.js';
import { AddressLimit, rateLimit } from './middleware/rate-limit.js';
import { createMetrics } from './system/metrics.js';
import { Sagas } from './temporal/sagas.js';

/** Dependencies whose servers do not answer. `close` frees them. */
export function loneDeps(env: Record<string, string> = {}, log = pino({ level: 'silent' })) {
  const parsed = parseSettings(env);
  if (parsed.kind === 'wrong') throw new Error(parsed.problems.join());
  const { settings } = parsed;
  const connection = connect('postgres://x:y@127.0.0.1:1/none', { applicationName: 'test', maxConnections: 1 });
  const sagas = new Sagas({ address: '127.0.0.1:1', namespace: 'default', workflowTaskTimeoutSeconds: 5 });
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
