import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { StartError } from '../start-error.js';
import type { Running } from './servers.js';
import { Supervised } from './supervise.js';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-supervise-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A fake server that ends on request. */
function serverOf(pid: number): Running & { die(): void } {
  let die: () => void = () => undefined;
  const ended = new Promise<string>((done) => {
    die = () => done('SIGKILL');
  });
  return { pid, ended, die: () => die(), stop: async () => die() };
}

test.each([
  ['a system error', Object.assign(new Error('ENOSPC: no space left on device, open'), { code: 'ENOSPC' })],
  ['an error that would prevent a first start', new StartError('cannot read the data folder')],
])('a server that dies comes back once %s no longer keeps it down', async (_what, problem) => {
  const launched: (Running & { die(): void })[] = [];
  let broken = false;
  let failures = 0;
  const supervised = new Supervised(
    {
      name: 'postgres',
      logFile: join(folder, 'none.log'),
      launch: async () => {
        if (broken) {
          failures++;
          throw problem;
        }
        const server = serverOf(launched.length + 1);
        launched.push(server);
        return server;
      },
      ready: async () => undefined,
    },
    { longestWaitMs: 200, say: () => undefined, launched: () => undefined, ready: () => undefined },
  );
  await supervised.start();
  broken = true;
  launched[0]?.die();
  await expect.poll(() => failures).toBeGreaterThan(2);
  expect(supervised.pid).toBe(1);
  broken = false;
  await expect.poll(() => supervised.pid).toBe(2);
  await supervised.stop(100);
});
