import { pino } from 'pino';
import { afterAll, expect, test } from 'vitest';
import { connect } from '../db/client.js';
import { createLedger } from '../db/ledger.js';
import { parseSettings } from '../domain/settings.js';
import { apiRoutes, createApp } from './app.js';
import { createMetrics } from './metrics.js';
import { KeyRing } from './middleware/auth.js';
import { IdempotentCalls } from './middleware/idempotency.js';
import { rateLimit } from './middleware/rate-limit.js';
import { openApiDocument } from './openapi.js';
import { Sagas } from './sagas.js';

/** Nothing is asked of these servers: the document and the router need none. */
const connection = connect('postgres://nobody@127.0.0.1:1/none', { applicationName: 'test', maxConnections: 1 });
const sagas = new Sagas('127.0.0.1:1', 'default');
const parsed = parseSettings({});
if (parsed.kind === 'wrong') throw new Error(parsed.problems.join());
const log = pino({ level: 'silent' });
const deps = {
  settings: parsed.settings,
  connection,
  ledger: createLedger(connection.sql),
  sagas,
  calls: new IdempotentCalls(connection.sql, () => 'test', log),
  log,
  keys: new KeyRing(connection.db),
  limit: rateLimit(100),
  metrics: createMetrics(),
  notReady: async () => [],
};

afterAll(async () => {
  await connection.close();
  await sagas.close();
});

interface Operation {
  readonly operationId: string;
  readonly security: readonly object[];
  readonly parameters?: readonly { in: string; name: string }[];
  readonly responses: Readonly<Record<string, object>>;
}
const document = JSON.parse(JSON.stringify(openApiDocument(apiRoutes(deps)))) as {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
};
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, path, operation })),
);

test('what may be null is not also required to be an object', () => {
  const narrowed: unknown[] = [];
  JSON.stringify(document, (_name, schema) => {
    const parts: unknown = schema?.allOf;
    if (Array.isArray(parts) && parts.some(({ type }) => Array.isArray(type) && type.includes('null')))
      narrowed.push(schema);
    return schema;
  });
  expect(narrowed).toEqual([]);
});

test('the document describes exactly the paths and methods that Express serves', () => {
  const served = createApp(deps).router.stack.flatMap(({ route }) =>
    route
      ? route.stack
          .filter(({ method }) => method)
          .map(({ method }) => `${method} ${route.path.replace(/:(\w+)/g, '{$1}')}`)
      : [],
  );
  const pageParts = ['get /docs/start.js'];
  expect([...new Set(served)].filter((name) => !pageParts.includes(name)).sort()).toEqual(
    operations.map(({ name }) => name).sort(),
  );
});

test('it is OpenAPI 3.1, and each operation has a name of its own', () => {
  expect(document.openapi).toBe('3.1.0');
  expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(operations.length);
});

test('every parameter in a path is described', () => {
  for (const { path, operation } of operations) {
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const described = (operation.parameters ?? []).filter((one) => one.in === 'path').map((one) => one.name);
    expect(described, path).toEqual(named);
  }
});

test('every operation that needs a key may answer 401, 403 and 429; every POST knows Idempotency-Key', () => {
  for (const { name, operation } of operations) {
    if (operation.security.length === 0) continue;
    expect(Object.keys(operation.responses), name).toEqual(expect.arrayContaining(['401', '403', '429', '503']));
    const keyed = (operation.parameters ?? []).some((one) => one.name === 'Idempotency-Key');
    expect(keyed, name).toBe(name.startsWith('post '));
  }
});
