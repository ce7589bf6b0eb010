import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { projectRoot } from '../../dev/home/paths.js';

/** Planted violations: a file, its import, and the rule that must report it. */
const violations: readonly (readonly [file: string, line: string, rule: string])[] = [
  ['domain/planted-1.ts', "import '../db/postgres/client.js';", 'domain-enters-no-other-room'],
  ['domain/planted-2.ts', "import type { Database } from '../db/postgres/client.js';", 'domain-enters-no-other-room'],
  ['domain/planted-3.ts', "import 'node:fs';", 'domain-is-pure'],
  ['domain/planted-4.ts', "import 'zod';", 'domain-is-pure'],
  ['workflows/planted-1.ts', "import '../db/postgres/client.js';", 'workflows-enters-only-domain-and-activities'],
  ['workflows/planted-2.ts', "import '../gateways/http/fault.js';", 'workflows-enters-only-domain-and-activities'],
  ['workflows/planted-3.ts', "import { x } from '../activities/orders.js';", 'workflows-know-activities-by-type-only'],
  ['workflows/planted-4.ts', "import 'zod';", 'workflow-bundle-is-deterministic'],
  ['workflows/planted-5.ts', "import 'drizzle-orm';", 'workflow-bundle-is-deterministic'],
  ['workflows/planted-6.ts', "import 'postgres';", 'workflow-bundle-is-deterministic'],
  ['workflows/planted-7.ts', "import 'node:crypto';", 'workflow-bundle-is-deterministic'],
  ['workflows/planted-8.ts', "import '@temporalio/client';", 'workflow-bundle-is-deterministic'],
  ['workflows/order/planted-1.ts', "import '../transfer/signals.js';", 'no-saga-imports-another'],
  ['workflows/order/planted-2.ts', "import type {} from '../transfer/inbox.js';", 'no-saga-imports-another'],
  ['workflows/shared/planted-1.ts', "import '../order/inbox.js';", 'no-saga-imports-another'],
  [
    'activities/planted-1.ts',
    "import '../workflows/shared/contract.js';",
    'activities-enters-only-domain-and-gateways-and-db',
  ],
  ['activities/planted-2.ts', "import '../api/app.js';", 'activities-enters-only-domain-and-gateways-and-db'],
  ['gateways/planted-1.ts', "import '../db/postgres/client.js';", 'gateways-enters-only-domain'],
  ['gateways/planted-2.ts', "import '../sandbox/server.js';", 'gateways-enters-only-domain'],
  ['db/planted-1.ts', "import '../gateways/http/fault.js';", 'db-enters-only-domain'],
  ['db/planted-2.ts', "import '../workflows/shared/contract.js';", 'db-enters-only-domain'],
  ['api/planted-1.ts', "import '../activities/orders.js';", 'api-enters-only-domain-and-db-and-workflows'],
  ['api/planted-2.ts', "import '../gateways/http/fault.js';", 'api-enters-only-domain-and-db-and-workflows'],
  [
    'api/planted-3.ts',
    "import type {} from '../gateways/http/fault.js';",
    'api-enters-only-domain-and-db-and-workflows',
  ],
  ['api/planted-4.ts', "import '../workflows/order/order.js';", 'api-knows-of-workflows-only-the-contract'],
  ['api/orders/planted-1.ts', "import '../payments/schemas.js';", 'api-resources-do-not-import-one-another'],
  [
    'api/orders/planted-2.ts',
    "import type {} from '../payments/routes.js';",
    'api-resources-do-not-import-one-another',
  ],
  ['api/http/planted-1.ts', "import '../orders/schemas.js';", 'api-resources-do-not-import-one-another'],
  ['sandbox/planted-1.ts', "import '../domain/money.js';", 'sandbox-enters-no-other-room'],
  ['cli/planted-1.ts', "import '../db/postgres/client.js';", 'cli-enters-only-domain'],
  ['cli/planted-2.ts', "import '../dev/home/paths.js';", 'cli-enters-only-domain'],
  ['db/circle-1.ts', "import './circle-2.js';", 'no-circles'],
  ['db/planted-3.ts', "import './nowhere.js';", 'nothing-unresolvable'],
  ['workers/planted-1.ts', "import '../test/shop.js';", 'workers-enters-'],
  ['workers/planted-2.ts', "import '../api/app.js';", 'workers-enters-'],
  ['workers/planted-3.ts', "import '../dev/home/paths.js';", 'workers-enters-'],
  ['workers/planted-4.ts', "import '../sandbox/server.js';", 'workers-enters-'],
  ['workers/planted-5.ts', "import '../cli/main.js';", 'workers-enters-'],
  ['workers/planted-6.ts', "import '../workflows/order/order.js';", 'workers-knows-of-workflows-only-the-contract'],
  ['dev/planted-1.ts', "import '../test/shop.js';", 'dev-enters-'],
  ['dev/planted-2.ts', "import '../api/app.js';", 'dev-enters-'],
  ['dev/planted-3.ts', "import '../workers/worker.js';", 'dev-enters-'],
  ['dev/planted-4.ts', "import '../activities/orders.js';", 'dev-enters-'],
  ['dev/planted-5.ts', "import '../gateways/http/fault.js';", 'dev-enters-'],
  ['dev/planted-6.ts', "import '../sandbox/server.js';", 'dev-enters-'],
  ['dev/planted-7.ts', "import '../cli/main.js';", 'dev-enters-'],
  ['dev/planted-8.ts', "import '../workflows/order/order.js';", 'dev-knows-of-workflows-only-the-contract'],
  ['dev/planted-9.ts', "import '../db/stock/ledger.js';", 'dev-prepares-the-database-and-reads-nothing-from-it'],
];

/** The other half of the import cycle. */
const companions = [['db/circle-2.ts', "import './circle-1.js';"]] as const;

/** Imports that resemble a violation but are allowed. */
const allowed: readonly (readonly [file: string, line: string])[] = [
  ['workflows/fine-1.ts', "import type { Activities } from '../activities/index.js';"],
  ['workflows/fine-2.ts', "import '../domain/money.js';"],
  ['workflows/order/fine-1.ts', "import '../transfer/contract.js';"],
  ['workflows/order/fine-2.ts', "import '../shared/saga.js';"],
  ['api/fine-1.ts', "import '../workflows/shared/contract.js';"],
  ['api/fine-1.test.ts', "import '../gateways/http/fault.js';"],
  ['api/orders/fine-1.ts', "import '../shapes/payment.js';"],
  ['api/orders/fine-2.ts', "import './schemas.js';"],
  ['api/orders/fine-1.test.ts', "import '../payments/schemas.js';"],
  ['workers/fine-1.ts', "import '../activities/orders.js';"],
  ['workers/fine-2.ts', "import '../api/system/log.js';"],
  ['dev/fine-1.ts', "import '../db/upgrade/migrate.js';"],
  ['dev/fine-2.ts', "import '../cli/connection/client.js';"],
  ['dev/fine-3.ts', "import '../workflows/shared/contract.js';"],
  ['test/fine-1.ts', "import '../gateways/http/fault.js';"],
];

const copy = mkdtempSync(join(tmpdir(), 'holdfast-layers-'));
afterAll(() => rmSync(copy, { recursive: true, force: true }));

async function cruise(): Promise<string[]> {
  const bin = join(projectRoot, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [bin, '--config', '.dependency-cruiser.cjs', '--output-type', 'json', '.'],
    { cwd: copy, maxBuffer: 256 * 1024 * 1024 },
  ).catch((error: { stdout: string }) => error);
  const result: { summary: { violations: { from: string; rule: { name: string } }[] } } = JSON.parse(stdout);
  return result.summary.violations.map(({ from, rule }) => `${from} ${rule.name}`);
}

let before: string[];
let after: string[];

beforeAll(async () => {
  const passedOver = new Set(['node_modules', 'dist', '.git', '.holdfast', 'coverage', 'docs']);
  for (const name of readdirSync(projectRoot))
    if (!passedOver.has(name)) cpSync(join(projectRoot, name), join(copy, name), { recursive: true });
  symlinkSync(join(projectRoot, 'node_modules'), join(copy, 'node_modules'));
  before = await cruise();
  for (const [file, line] of [...violations, ...companions, ...allowed]) {
    expect(dirname(file)).not.toBe('.');
    writeFileSync(join(copy, file), `${line}\n`);
  }
  after = await cruise();
}, 120_000);

describe('the layer rules', () => {
  test('hold for the project', () => expect(before).toEqual([]));

  test.each(violations)('report a violation in %s: %s', (file, _line, rule) => {
    expect(after).toContainEqual(expect.stringContaining(`${file} ${rule}`));
  });

  test.each(allowed)('let %s be: %s', (file) => {
    expect(after.filter((violation) => violation.startsWith(`${file} `))).toEqual([]);
  });

  test('report nothing else', () => {
    const planted = new Set(violations.map(([file]) => file));
    expect(after.filter((violation) => !planted.has(violation.split(' ')[0] ?? ''))).toEqual(before);
  });
});
