/** How a stack ends, and what the next start on its home finds. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadDemoData } from '../../dev/demo-data.js';
import { projectRoot } from '../../dev/home/paths.js';
import { cleanEnvironment, type Stack, startStack } from '../setup/stack.js';
import { Shop } from '../shop.js';
import { buyFromDemoShop } from '../stack/dev/demo-shop.js';
import { leftAfter, processesOf } from '../stack/dev/processes.js';

const home = mkdtempSync(join(tmpdir(), 'holdfast-ending-'));
const settings = { RETRY_BASE_SCALE: '0.01' };
let stack: Stack;

beforeAll(async () => {
  // Not the usual ports: another stack would take them while this one is down.
  const first = 10_000 + Math.floor(Math.random() * 19_000);
  const names = ['api', 'postgres', 'temporal', 'temporalUi', 'sandboxHttp', 'sandboxSmtp'];
  const ports = Object.fromEntries(names.map((name, index) => [name, first + index]));
  writeFileSync(join(home, 'ports.json'), JSON.stringify(ports));
  stack = await startStack(settings, { home });
  expect(await buyFromDemoShop(new Shop(stack))).toBe('confirmed');
});
afterAll(async () => {
  await stack?.stop();
  rmSync(home, { recursive: true, force: true });
});

describe('a stack that ends', () => {
  test('on SIGTERM stops within 10 s, exits 0 and leaves no process and no dev.json', async () => {
    const from = Date.now();
    expect(await stack.end('SIGTERM')).toBe(0);
    expect(Date.now() - from).toBeLessThan(10_000);
    expect(processesOf(home)).toEqual([]);
    expect(existsSync(stack.devJson)).toBe(false);
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('on %s to npm does the same, and npm waits for it', async (name) => {
    const npm = spawn('npm', ['start'], {
      cwd: projectRoot,
      env: cleanEnvironment({ HOLDFAST_HOME: home }),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    npm.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
    const exited = new Promise<number | null>((done) => npm.once('exit', done));
    await expect.poll(() => output, { timeout: 60_000 }).toContain('Holdfast is ready');
    npm.kill(name);
    expect(await exited).toBe(0);
    expect(processesOf(home)).toEqual([]);
    expect(existsSync(stack.devJson)).toBe(false);
  });

  test('finds all its data at the next start, with the same key on the same ports', async () => {
    const before = stack;
    stack = await startStack(settings, { home });
    expect(stack).toMatchObject({
      apiUrl: before.apiUrl,
      apiKey: before.apiKey,
      temporalAddress: before.temporalAddress,
      databaseUrl: before.databaseUrl,
      sandboxUrl: before.sandboxUrl,
    });
    const { body } = await new Shop(stack).get('/api/orders?status=confirmed');
    expect(body.items).toHaveLength(1);
  });

  test('loads its demo shop once', async () => {
    const { body } = await new Shop(stack).get('/api/inventory/hand-grinder/movements');
    expect(body.items).toHaveLength(2);
  });

  describe('while loading its demo shop', () => {
    const skus = ['coffee-beans-1kg', 'scale-0.1g'];
    /** Loads the demo shop as the next start would, on a home that has begun to load it. Stock must not change. */
    const completed = async (lose: (sql: postgres.Sql) => Promise<unknown>) => {
      const stock = () => Promise.all(skus.map((sku) => new Shop(stack).stock(sku)));
      const sql = postgres(stack.databaseUrl, { max: 1 });
      const folder = mkdtempSync(join(tmpdir(), 'holdfast-demo-'));
      try {
        const before = await stock();
        await lose(sql);
        writeFileSync(join(folder, 'loaded.begun'), '');
        expect(await loadDemoData(stack, join(folder, 'loaded'))).toBe('loaded');
        expect(await stock()).toEqual(before);
      } finally {
        await sql.end();
        rmSync(folder, { recursive: true, force: true });
      }
    };

    test('completes the load at the next start, which waits for the call that died with the API', () =>
      completed(async (sql) => {
        await sql`insert into api_processes (id, alive_until) values ('gone', clock_timestamp() + interval '3 s')`;
        const lost = await sql`
          update idempotency_keys set status = null, response = null, held_by = 'gone'
           where key in ('demo/supplier', 'demo/receipt/coffee-beans-1kg/main')`;
        expect(lost.count).toBe(2);
      }));

    test('completes the load a day later, when its idempotency keys are gone, and receives nothing twice', () =>
      completed(async (sql) => {
        expect((await sql`delete from idempotency_keys where key like 'demo/%'`).count).toBeGreaterThan(15);
      }));
  });

  test('by kill -9 takes all its servers along, and the next start works', async () => {
    await stack.end('SIGKILL');
    expect(await leftAfter(home, 8000)).toEqual([]);
    stack = await startStack(settings, { home });
    expect(await buyFromDemoShop(new Shop(stack))).toBe('confirmed');
  });

  test('by kill -9 and starts again at once waits until its old servers are gone', async () => {
    const orders = async () => (await new Shop(stack).get('/api/orders?limit=200')).body.items.length;
    const before = await orders();
    await stack.end('SIGKILL');
    stack = await startStack(settings, { home });
    expect(await orders()).toBe(before);
  });

  test('by kill -9 together with the keepers of its servers leaves servers behind, which the next start ends', async () => {
    const keepers = processesOf(home).filter((line) => line.includes('dev/processes/keeper.js'));
    expect(keepers).toHaveLength(2);
    const ended = stack.end('SIGKILL');
    for (const line of keepers) process.kill(Number.parseInt(line, 10), 'SIGKILL');
    await ended;
    expect(processesOf(home).join()).toContain('temporal server start-dev');
    const { temporal, postgres } = stack.pids;
    stack = await startStack(settings, { home });
    for (const pid of [temporal, postgres]) expect(() => process.kill(pid ?? 0, 0)).toThrow();
    expect(await buyFromDemoShop(new Shop(stack))).toBe('confirmed');
  });
});
