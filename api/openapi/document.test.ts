import { afterAll, expect, test } from 'vitest';
import { createApp } from '../app.js';
import { reservedSkus } from '../products/schemas.js';
import { closeDeps, deps, document, operations } from './openapi.fixture.js';

afterAll(closeDeps);

test('a nullable schema does not also require an object', () => {
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
  const pageParts = ['get /', 'get /docs/start.js'];
  expect([...new Set(served)].filter((name) => !pageParts.includes(name)).sort()).toEqual(
    operations.map(({ name }) => name).sort(),
  );
});

test('no product can have a SKU that is also an API path in its place', () => {
  const segments = operations.map(({ path }) => path.split('/'));
  const literals = segments.flatMap((own) => {
    const place = own.length - 1;
    const besideSku = segments.some(
      (other) => other[place] === '{sku}' && other.slice(0, place).join('/') === own.slice(0, place).join('/'),
    );
    return besideSku && own[place] !== '{sku}' ? [own[place]] : [];
  });
  expect([...new Set(literals)].sort()).toEqual([...reservedSkus].sort());
});

test('it is OpenAPI 3.1, and each operation has a unique id', () => {
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

test('every operation that needs a key describes its errors and their headers', () => {
  for (const { name, operation } of operations) {
    if (operation.security.length === 0) continue;
    const statuses = Object.keys(operation.responses);
    expect(statuses, name).toEqual(expect.arrayContaining(['401', '403', '406', '422', '429', '500', '503']));
    const takesBody = name.startsWith('post ') || name.startsWith('patch ');
    if (takesBody) expect(statuses, name).toEqual(expect.arrayContaining(['400', '413', '415']));
    for (const [status, { headers }] of Object.entries(operation.responses)) {
      const named = Object.keys(headers ?? {});
      expect(named, name).toContain('X-Request-Id');
      if (status !== '401' && status !== '403')
        expect(named).toEqual(expect.arrayContaining(['RateLimit', 'RateLimit-Policy']));
      if (status === '429' || status === '503') expect(named).toContain('Retry-After');
      if (status === '401') expect(named).toContain('WWW-Authenticate');
      if (status === '201' && name.startsWith('post ')) expect(named).toContain('Idempotency-Replayed');
      if (status === '202') expect(named).toEqual(expect.arrayContaining(['Location', 'Preference-Applied']));
    }
    const keyed = (operation.parameters ?? []).some((one) => one.name === 'Idempotency-Key');
    expect(keyed, name).toBe(name.startsWith('post '));
    // Of a call that is still running under its key.
    if (keyed) expect(Object.keys(operation.responses['409']?.headers ?? {}), name).toContain('Retry-After');
  }
});
