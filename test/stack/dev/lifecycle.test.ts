import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { loadDemoData } from '../../../dev/demo-data.js';
import { projectRoot } from '../../../dev/home/paths.js';
import { cleanEnvironment, type ServerName, type Stack, spawnStack, startStack } from '../../setup/stack.js';
import { Shop } from '../../shop.js';
import { makeElsewhere } from './elsewhere.js';
import { leftAfter, listeningOn, processesOf } from './processes.js';

// Starts of whole stacks, on a machine that runs others beside them.
vi.setConfig({ testTimeout: 180_000 });

const home = mkdtempSync(join(tmpdir(), 'holdfast-life-'));
const env = { RETRY_BASE_SCALE: '0.01', WORKERS: '2' };
let stack: Stack;

beforeAll(async () => {
  stack = await startStack(env, { home });
});
afterAll(async () => {
  await stack?.stop();
  rmSync(home, { recursive: true, force: true });
});

describe('a stack that is ready', () => {
  test('is described by dev.json, which only its user can read', () => {
    const content: unknown = JSON.parse(readFileSync(join(home, 'dev.json'), 'utf8'));
    const text = expect.any(String);
    const pid = expect.any(Number);
    expect(content).toEqual({
      apiUrl: text,
      apiKey: expect.stringMatching(/^hf_dev_[0-9a-f]+_[0-9a-f]{8}$/),
      consoleUrl: null,
      temporalAddress: text,
      temporalNamespace: 'default',
      temporalUiUrl: text,
      temporalCliPath: expect.stringMatching(/^\/.*temporal$/),
      databaseUrl: text,
      sandboxUrl: text,
      pids: { stack: pid, api: pid, workers: [pid, pid], temporal: pid, postgres: pid, sandbox: pid },
    });
    expect(statSync(join(home, 'dev.json')).mode & 0o777).toBe(0o600);
    expect(statSync(join(home, 'api-key')).mode & 0o777).toBe(0o600);
  });

  test('runs beside another one on ports of its own', async () => {
    const [other] = inject('apiUrls');
    expect(stack.apiUrl).not.toBe(other);
    for (const url of [stack.apiUrl, other]) expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });

  test('serves the first curl that it prints', async () => {
    const [, url = ''] = /curl -s -X POST (\S+)/.exec(stack.output()) ?? [];
    const [, key = ''] = /(Bearer \S+)'/.exec(stack.output()) ?? [];
    const [, body = ''] = /-d '(.*)'/.exec(stack.output()) ?? [];
    const answer = await fetch(url, {
      method: 'POST',
      headers: { Authorization: key, 'Content-Type': 'application/json' },
      body,
    });
    expect(answer.status).toBe(201);
    expect(await answer.json()).toMatchObject({ status: 'confirmed' });
  });

  test('has its servers in process groups of their own, so that one kill ends one of them', () => {
    const { api, workers, sandbox, temporal, postgres } = stack.pids;
    for (const pid of [api, ...workers, sandbox, temporal ?? 0, postgres ?? 0]) {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      expect(Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2])).toBe(pid);
    }
  });

  test('names the temporal binary that it runs', () => {
    const version = execFileSync(stack.temporalCliPath ?? '', ['--version'], { encoding: 'utf8' });
    expect(version).toMatch(/^temporal version 1\./);
  });

  test('said how its start got on, each step in a line with its time', () => {
    const said = stack.output().slice(0, stack.output().indexOf('Holdfast is ready'));
    for (const step of [
      'starting on',
      'sandbox: ready',
      'Postgres data folder: ready',
      'postgres: ready',
      'database: up to date',
    ])
      expect(said).toMatch(new RegExp(`^ *\\d+\\.\\d s  ${step}`, 'm'));
    for (const step of ['temporal: ready', 'api: ready', 'worker 1: ready', 'worker 2: ready', 'demo shop: ready'])
      expect(said).toMatch(new RegExp(`^ *\\d+\\.\\d s  ${step}$`, 'm'));
    expect(said).not.toContain('\x1b');
  });

  test('is reached from this machine only', () => {
    const { stack: supervisor, temporal, postgres, sandbox, api, workers } = stack.pids;
    const addresses = [supervisor, temporal ?? 0, postgres ?? 0, sandbox, api, ...workers].map(listeningOn);
    expect(addresses.map((list) => list.length > 0)).toEqual(addresses.map(() => true));
    expect(addresses.flat().filter(({ ip }) => !ip.startsWith('127.'))).toEqual([]);
  });

  test('lets no page of another site into the Temporal UI or its API', async () => {
    const { hostname, port } = new URL(stack.temporalUiUrl ?? '');
    expect(await askedFor(`localhost:${port}`, hostname, Number(port))).toBe(200);
    expect(await askedFor(`evil.example:${port}`, hostname, Number(port))).toBe(421);
    // The server's own ports: gRPC, figures, HTTP. The UI itself is at an address that nobody guesses.
    const ports = listeningOn(stack.pids.temporal ?? 0).filter(({ ip }) => ip === '127.0.0.1');
    expect(ports.length).toBeGreaterThan(2);
    const answers = await Promise.all(ports.map(({ ip, port }) => askedFor('evil.example', ip, port)));
    expect(answers).toContain(403);
    expect(answers).not.toContain(200);
  });

  test('keeps a second stack off its home', async () => {
    const second = spawnStack({ HOLDFAST_HOME: home });
    expect(await second.exited).toBe(2);
    expect(second.output()).toContain(`a stack already runs on ${home} (pid ${stack.pids.stack})`);
    expect((await fetch(`${stack.apiUrl}/readyz`)).status).toBe(200);
    expect(existsSync(stack.devJson)).toBe(true);
  });
});

describe('a server that is killed', () => {
  const servers: readonly (readonly [ServerName, number])[] = [
    ['api', 0],
    ['worker', 0],
    ['worker', 1],
    ['temporal', 0],
    ['postgres', 0],
    ['sandbox', 0],
  ];

  test.each(servers)('%s %i is started again on the same port, with its new pid in dev.json', async (name, index) => {
    const before = stack.pids;
    const killed = await stack.kill(name, index);
    const pid = await stack.waitRestarted(name, killed, index);
    expect(() => process.kill(pid, 0)).not.toThrow();
    expect(() => process.kill(killed, 0)).toThrow();
    const after = stack.pids;
    expect({ ...after, workers: [] }).toEqual({ ...before, ...(name !== 'worker' && { [name]: pid }), workers: [] });
    await expect.poll(() => ordered(new Shop(stack)), { timeout: 20_000 }).toBe('confirmed');
  });

  test('is started again as often as it dies', async () => {
    for (let times = 1; times <= 4; times++) {
      const killed = await stack.kill('sandbox');
      expect(await stack.waitRestarted('sandbox', killed)).not.toBe(killed);
    }
  });
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
    stack = await startStack(env, { home });
    expect(stack).toMatchObject({
      apiUrl: before.apiUrl,
      apiKey: before.apiKey,
      temporalAddress: before.temporalAddress,
      databaseUrl: before.databaseUrl,
      sandboxUrl: before.sandboxUrl,
    });
    const { body } = await new Shop(stack).get('/api/orders?status=confirmed');
    expect(body.items.length).toBeGreaterThanOrEqual(7);
  });

  test('loads its demo shop once', async () => {
    const { body } = await new Shop(stack).get('/api/inventory/hand-grinder/movements');
    expect(body.items).toHaveLength(2);
  });

  describe('in the middle of loading its demo shop', () => {
    const skus = ['coffee-beans-1kg', 'scale-0.1g'];
    /** What the next start does, on a home that knows of a load that was begun. Answers whether it changed any stock. */
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

    test('has it completed by the next one, which waits for the call that died with the API', () =>
      completed(async (sql) => {
        await sql`insert into api_processes (id, alive_until) values ('gone', clock_timestamp() + interval '3 s')`;
        const lost = await sql`
          update idempotency_keys set status = null, response = null, held_by = 'gone'
           where key in ('demo/supplier', 'demo/receipt/coffee-beans-1kg/main')`;
        expect(lost.count).toBe(2);
      }));

    test('has it completed a day later, when its idempotency keys are gone, and nothing comes in twice', () =>
      completed(async (sql) => {
        expect((await sql`delete from idempotency_keys where key like 'demo/%'`).count).toBeGreaterThan(15);
      }));
  });

  test('by kill -9 takes all its servers along, and the next start works', async () => {
    await stack.end('SIGKILL');
    expect(await leftAfter(home, 8000)).toEqual([]);
    stack = await startStack(env, { home });
    expect(await ordered(new Shop(stack))).toBe('confirmed');
  });

  test('by kill -9 and is started again at once waits for what the first one left', async () => {
    const orders = async () => (await new Shop(stack).get('/api/orders?limit=200')).body.items.length;
    const before = await orders();
    await stack.end('SIGKILL');
    stack = await startStack(env, { home });
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
    stack = await startStack(env, { home });
    for (const pid of [temporal, postgres]) expect(() => process.kill(pid ?? 0, 0)).toThrow();
    expect(await ordered(new Shop(stack))).toBe('confirmed');
  });

  test('by kill -9 in the middle of its start leaves nothing, and the next start works', async () => {
    const early = mkdtempSync(join(tmpdir(), 'holdfast-early-'));
    for (const afterMs of [400, 600, 900, 1500, 2500]) {
      const starting = spawnStack({ HOLDFAST_HOME: early });
      await sleep(afterMs);
      starting.child.kill('SIGKILL');
      await starting.exited;
      expect(await leftAfter(early, 8000)).toEqual([]);
    }
    const whole = await startStack({}, { home: early });
    expect(await ordered(new Shop(whole))).toBe('confirmed');
    await whole.stop();
    rmSync(early, { recursive: true, force: true });
  });

  test.each(['SIGTERM', 'SIGINT'] as const)(
    'by %s in the middle of its start exits 0 and leaves nothing',
    async (name) => {
      const early = mkdtempSync(join(tmpdir(), 'holdfast-early-'));
      for (const afterMs of [300, 1200, 2500]) {
        const starting = spawnStack({ HOLDFAST_HOME: early });
        await sleep(afterMs);
        // Before its first line runs, a process cannot know better than to die of the signal.
        starting.child.kill(name);
        starting.child.kill(name);
        expect([0, null]).toContain(await starting.exited);
        expect(await leftAfter(early, 1000)).toEqual([]);
      }
      rmSync(early, { recursive: true, force: true });
    },
  );
});

test('a stack whose database and Temporal are elsewhere starts neither, works, and leaves the shop there as it is', async () => {
  const elsewhere = await makeElsewhere();
  const { databaseUrl, temporalAddress, namespace } = elsewhere;
  const onElsewhere = async (use: (other: Stack) => Promise<void>) => {
    const other = await startStack({
      DATABASE_URL: databaseUrl,
      TEMPORAL_ADDRESS: temporalAddress,
      TEMPORAL_NAMESPACE: namespace,
    });
    try {
      await use(other);
    } finally {
      await other.stop();
    }
  };
  const stockOf = (other: Stack) => new Shop(other).stock('filter-papers-100');
  try {
    let left: unknown;
    await onElsewhere(async (other) => {
      expect(other).toMatchObject({ databaseUrl, temporalAddress, temporalNamespace: namespace, temporalUiUrl: null });
      expect(other.pids).toMatchObject({ postgres: null, temporal: null });
      expect(await ordered(new Shop(other))).toBe('confirmed');
      left = await stockOf(other);
    });
    // Another home, whose demo shop is there already.
    await onElsewhere(async (other) => {
      expect(await stockOf(other)).toEqual(left);
      expect(await ordered(new Shop(other))).toBe('confirmed');
    });
  } finally {
    await elsewhere.remove();
  }
});

/** The status that a request for Temporal's namespaces gets under this name; null if there is no answer in HTTP. */
function askedFor(host: string, ip: string, port: number): Promise<number | null> {
  return new Promise((answer) => {
    get({ host: ip, port, path: '/api/v1/namespaces', headers: { host } }, (response) => {
      response.resume();
      answer(response.statusCode ?? null);
    }).on('error', () => answer(null));
  });
}

/** Buys one of the demo shop; the order's status, or the answer's where there is none. */
async function ordered(shop: Shop): Promise<string> {
  const { status, body } = await shop.order({
    lines: [{ sku: 'filter-papers-100', quantity: 1 }],
    confirm: true,
    payment: { cardToken: 'tok_visa' },
  });
  return body.status ?? String(status);
}
