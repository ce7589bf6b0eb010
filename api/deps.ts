/** The dependencies of the API's routes and middleware. */
import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import type { Connection } from '../db/postgres/client.js';
import type { Ledger } from '../db/stock/ledger.js';
import type { Settings } from '../domain/settings.js';
import type { Admission } from './admission/admission.js';
import type { KeyRing } from './middleware/auth.js';
import type { IdempotentCalls } from './middleware/idempotency.js';
import type { AddressLimit } from './middleware/rate-limit.js';
import type { Metrics } from './system/metrics.js';
import type { Sagas } from './temporal/sagas.js';

export interface ApiDeps {
  readonly settings: Settings;
  readonly connection: Connection;
  readonly ledger: Ledger;
  readonly sagas: Sagas;
  readonly keys: KeyRing;
  readonly calls: IdempotentCalls;
  readonly admission: Admission;
  readonly limit: RequestHandler;
  /** Limits callers without a valid key, by address. */
  readonly addresses: AddressLimit;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** What is not ready to serve: `postgres`, `migrations`, `temporal`. */
  readonly notReady: () => Promise<readonly string[]>;
}
