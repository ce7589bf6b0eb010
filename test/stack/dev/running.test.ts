/** A stack that is ready, and what it does when one of its servers dies. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { type ServerName, type Stack, spawnStack, startStack } from '../../setup/stack.js';
import { Shop } from '../../shop.js';
import { buyFromDemoShop } from './demo-shop.js';
import { listeningOn } from './processes.js';

// Whole stacks start here, on a machine that runs others beside them.
vi.setConfig({ testTimeout: 180_000 });

const home = mkdtempSync(join(tmpdir(), 'holdfast-running-'));
let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ RETRY_BASE_SCALE: '0.01', WORKERS: '2' }, { home });
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
    await expect.poll(() => buyFromDemoShop(new Shop(stack)), { timeout: 20_000 }).toBe('confirmed');
  });

  test('is started again as often as it dies', async () => {
    for (let times = 1; times <= 4; times++) {
      const killed = await stack.kill('sandbox');
      expect(await stack.waitRestarted('sandbox', killed)).not.toBe(killed);
    }
  });
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
