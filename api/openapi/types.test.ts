import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import openapiTypes, { astToString } from 'openapi-typescript';
import ts from 'typescript';
import { afterAll, expect, test } from 'vitest';
import { projectRoot } from '../../dev/home/paths.js';
import { closeDeps, document, operations } from './openapi.fixture.js';

// Below the project, so that the compiler finds openapi-fetch.
const folder = mkdtempSync(join(projectRoot, 'node_modules/.holdfast-types-'));
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await closeDeps();
});

/** Compiles files that use the document's types; returns the errors by file. */
function compile(sources: Readonly<Record<string, string>>): Record<string, string[]> {
  for (const [name, source] of Object.entries(sources)) writeFileSync(join(folder, name), source);
  const files = Object.keys(sources).map((name) => join(folder, name));
  const program = ts.createProgram(files, {
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
  });
  const found: Record<string, string[]> = {};
  for (const { file, start = 0, messageText } of ts.getPreEmitDiagnostics(program)) {
    const name = basename(file?.fileName ?? '');
    const line = (file?.getLineAndCharacterOfPosition(start).line ?? 0) + 1;
    found[name] = [...(found[name] ?? []), `${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`];
  }
  return found;
}

const head = `import createClient from 'openapi-fetch';
import type { paths } from './holdfast.js';
const client = createClient<paths>({ baseUrl: 'http://localhost' });
`;

const written = (value: unknown) => JSON.stringify(value, null, 2);

/** Source text with the documented call of an operation and a value of each documented answer. */
function callOf({ method, path, operation }: (typeof operations)[number]): string {
  const params: Record<string, Record<string, unknown>> = {};
  for (const { in: place, name, schema } of operation.parameters ?? [])
    params[place] = { ...params[place], [name]: schema.example };
  const body = operation.requestBody?.content['application/json']?.example;
  const init = { params, ...(body !== undefined && { body }) };
  const answers = Object.entries(operation.responses).flatMap(([status, { content }]) =>
    Object.entries(content).flatMap(([type, { example }]) =>
      example === undefined
        ? []
        : `{ const answer: paths['${path}']['${method}']['responses'][${status}]['content']['${type}'] = ${written(example)}; void answer; }`,
    ),
  );
  return [`void client.${method.toUpperCase()}('${path}', ${written(init)});`, ...answers].join('\n');
}

test('types made by openapi-typescript from the document fit every documented call and answer', async () => {
  const types = astToString(await openapiTypes(JSON.stringify(document)));
  const found = compile({
    'holdfast.ts': types,
    'documented.ts': `${head}${operations.map(callOf).join('\n')}\n`,
    'minimal.ts': `${head}
void client.POST('/api/inventory/operations', { body: { operation: 'reserve', sku: 'A', quantity: 1 } });
void client.POST('/api/inventory/bulk', { body: { operations: [{ operation: 'consume', sku: 'A', quantity: 1 }] } });
void client.POST('/api/orders', {});
`,
    'wrong.ts': `${head}
void client.POST('/api/inventory/operations', { body: { operation: 'reserve', sku: 'A' } });
void client.GET('/api/orders/{id}', {});
`,
  });
  expect(Object.keys(found)).toEqual(['wrong.ts']);
  expect(found['wrong.ts']?.map((line) => line.split(':')[0])).toEqual(['5', '6']);
}, 180_000);
