/** The document and the application for tests that ask no server: none of those named here answers. */
import { pino } from 'pino';
import { connect } from '../../db/postgres/client.js';
import { createLedger } from '../../db/stock/ledger.js';
import { parseSettings } from '../../domain/settings.js';
import { Admission } from '../admission/admission.js';
import { apiRoutes } from '../app.js';
import type { ApiDeps } from '../deps.js';
import { KeyRing } from '../middleware/auth.js';
import { IdempotentCalls } from '../middleware/idempotency.js';
import { AddressLimit, rateLimit } from '../middleware/rate-limit.js';
import { createMetrics } from '../system/metrics.js';
import { Sagas } from '../temporal/sagas.js';
import { openApiDocument } from './document.js';

const connection = connect('postgres://nobody@127.0.0.1:1/none', { applicationName: 'test', maxConnections: 1 });
const sagas = new Sagas('127.0.0.1:1', 'default');
const parsed = parseSettings({});
if (parsed.kind === 'wrong') throw new Error(parsed.problems.join());
const log = pino({ level: 'silent' });

const metrics = createMetrics();

export const deps: ApiDeps = {
  settings: parsed.settings,
  connection,
  ledger: createLedger(connection.sql),
  sagas,
  calls: new IdempotentCalls(connection.sql, () => 'test', log),
  log,
  keys: new KeyRing(connection.db),
  limit: rateLimit(100),
  addresses: new AddressLimit(100),
  admission: new Admission({ limit: null, registry: metrics.registry }),
  metrics,
  notReady: async () => [],
};

export async function closeDeps(): Promise<void> {
  await connection.close();
  await sagas.close();
}

export interface Schema {
  readonly [keyword: string]: unknown;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
}
interface Media {
  readonly schema: Schema;
  readonly example?: unknown;
}
interface Response {
  readonly headers?: Readonly<Record<string, object>>;
  readonly content: Readonly<Record<string, Media>>;
  readonly links?: Readonly<Record<string, object>>;
}
interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly security: readonly object[];
  readonly parameters?: readonly {
    in: string;
    name: string;
    required: boolean;
    description?: string;
    schema: Schema;
  }[];
  readonly requestBody?: { readonly required: boolean; readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<Record<string, Response>>;
}
export interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** As a client gets it. */
export const document: Document = JSON.parse(JSON.stringify(openApiDocument(apiRoutes(deps))));
export const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, method, path, operation })),
);
