/**
 * The API against its own document: Schemathesis sends what the document allows and what it forbids, in all its phases,
 * and checks every answer against it. Its configuration, with the reasons, is in openapi/.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { locationExample, newProductExample, supplierExample } from '../../api/openapi/examples/catalogue.js';
import { projectRoot } from '../../dev/home/paths.js';
import { type Stack, startStack } from '../setup/stack.js';
import { Shop } from '../shop.js';

const execute = promisify(execFile);
const sources = join(projectRoot, 'test/drills/openapi');
const requirements = join(sources, 'requirements.txt');
const installWithinMs = 180_000;
const runWithinMs = 900_000;

type Tool = { readonly kind: 'tool'; readonly path: string } | { readonly kind: 'none'; readonly why: string };

/** Installs Schemathesis in its own virtual environment, kept in the user's cache for the next run. */
async function schemathesis(): Promise<Tool> {
  const python = await newPython();
  if (python === null) return { kind: 'none', why: 'there is no Python 3.11 or newer' };
  const version = createHash('sha256').update(readFileSync(requirements)).update(python).digest('hex').slice(0, 16);
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'holdfast');
  const folder = join(cache, `schemathesis-${version}`);
  const path = join(folder, 'bin', 'st');
  const whole = join(folder, 'whole');
  if (existsSync(whole)) return { kind: 'tool', path };
  mkdirSync(cache, { recursive: true });
  rmSync(folder, { recursive: true, force: true });
  const flags = ['--quiet', '--no-deps', '--require-hashes', '--disable-pip-version-check'];
  try {
    await execute(python, ['-m', 'venv', folder], { timeout: installWithinMs });
    const pip = [join(folder, 'bin', 'python'), '-m', 'pip', 'install', ...flags, '-r', requirements] as const;
    await execute(pip[0], pip.slice(1), { timeout: installWithinMs });
  } catch (error) {
    return { kind: 'none', why: `it cannot be installed (${String(error).slice(0, 300)})` };
  }
  writeFileSync(whole, '');
  return { kind: 'tool', path };
}

/** The first Python that Schemathesis can use; null if there is none. */
async function newPython(): Promise<string | null> {
  const asks = 'import sys; sys.exit(sys.version_info < (3, 11)); ';
  for (const name of ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11']) {
    const fits = await execute(name, ['-c', asks]).then(
      () => true,
      () => false,
    );
    if (fits) return name;
  }
  return null;
}

let stack: Stack | undefined;
const work = mkdtempSync(join(tmpdir(), 'holdfast-openapi-'));
let tool: Tool;

beforeAll(async () => {
  tool = await schemathesis();
  if (tool.kind === 'none') return;
  stack = await startStack({
    RETRY_BASE_SCALE: '0.01',
    GATEWAY_TIMEOUT_SECONDS: '1',
    SUPPLIER_RECHECK_SECONDS: '0.4',
    RATE_LIMIT_PER_MINUTE: '1000000',
    LOG_LEVEL: 'warn',
  });
}, installWithinMs * 3);
afterAll(async () => {
  await stack?.stop();
  rmSync(work, { recursive: true, force: true });
});

/** Creates what the document's examples refer to, so that they get the documented answers. */
async function stockTheShop(shop: Shop): Promise<void> {
  const { id, name, active, minOrderQuantity, maxOrderQuantity } = supplierExample;
  await shop.must(201, shop.post('/api/suppliers', { id, name, active, minOrderQuantity, maxOrderQuantity }));
  await shop.must(201, shop.post('/api/locations', { code: locationExample.code, name: locationExample.name }));
  for (const sku of [newProductExample.sku, 'MUG-BLUE']) {
    await shop.must(201, shop.post('/api/products', { ...newProductExample, sku }));
    for (const location of ['main', locationExample.code])
      await shop.must(201, shop.post(`/api/inventory/${sku}/receipts`, { quantity: 100_000, location }));
  }
}

test(
  'every answer is one that the document allows, and requests that it forbids are refused',
  async ({ skip }) => {
    if (tool.kind === 'none') {
      console.log(`Skipped: Schemathesis cannot run, since ${tool.why}.`);
      return skip();
    }
    if (!stack) throw new Error('there is no stack');
    await stockTheShop(new Shop(stack));
    for (const file of ['schemathesis.toml', 'hooks.py']) cpSync(join(sources, file), join(work, file));
    const run = await execute(tool.path, ['run', `${stack.apiUrl}/openapi.json`], {
      cwd: work,
      env: { ...process.env, HOLDFAST_API_KEY: stack.apiKey, NO_COLOR: '1', PYTHONDONTWRITEBYTECODE: '1' },
      timeout: runWithinMs,
      maxBuffer: 64 * 1024 * 1024,
    }).then(
      ({ stdout }) => ({ ok: true, output: stdout }),
      (error: { stdout?: string }) => ({ ok: false, output: error.stdout ?? String(error) }),
    );
    if (!run.ok) console.log(run.output.slice(-20_000));
    expect(run.ok).toBe(true);
    // A run that sends nothing would find nothing and pass.
    for (const phase of ['Examples', 'Coverage', 'Fuzzing', 'Stateful']) expect(run.output).toContain(phase);
    expect(Number(/(\d+) generated/.exec(run.output)?.[1])).toBeGreaterThan(1000);
  },
  runWithinMs + 60_000,
);
