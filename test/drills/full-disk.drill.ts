/** The stack's home is on a small, full file system: nothing is lost, and everything that ends comes back. */
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Stack, spawnStack, startStack } from '../setup/stack.js';
import { eventually, Shop } from '../shop.js';
import { processesOf } from '../stack/dev/processes.js';
import { expectWhole, insist } from './buying.js';

const canMount = process.platform === 'linux' && process.getuid?.() === 0;

describe.runIf(canMount)('a full disk', () => {
  const disk = mkdtempSync(join(tmpdir(), 'holdfast-disk-'));
  const filler = join(disk, 'filler');
  let stack: Stack;
  let shop: Shop;

  beforeAll(async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256m,mode=0711', 'tmpfs', disk]);
    stack = await startStack(
      { WORKERS: '2', RETRY_BASE_SCALE: '0.01', GATEWAY_TIMEOUT_SECONDS: '1', RATE_LIMIT_PER_MINUTE: '1000000' },
      { home: join(disk, 'home') },
    );
    shop = new Shop(stack);
  });
  afterAll(async () => {
    rmSync(filler, { force: true });
    await stack?.stop();
    execFileSync('umount', ['--lazy', disk]);
    rmdirSync(disk);
  });

  /** Fills the disk to the last byte. */
  function fill(): void {
    const file = openSync(filler, 'a');
    for (const size of [1024 * 1024, 4096]) {
      try {
        for (;;) writeSync(file, Buffer.alloc(size));
      } catch {
        // Full for blocks of this size; try smaller ones.
      }
    }
    closeSync(file);
  }

  const lives = async () => (await fetch(`${stack.apiUrl}/livez`)).ok;

  test.each(['api', 'worker', 'sandbox', 'temporal', 'postgres'] as const)(
    'on which %s is killed ends neither the stack nor an order: all resumes once there is room',
    async (victim) => {
      const sku = await shop.product(12);
      const early = Array.from({ length: 4 }, () => insist(shop, sku, 'tok_slow_400'));
      await sleep(300);
      fill();
      const killed = await stack.kill(victim);
      const late = Array.from({ length: 8 }, () => insist(shop, sku, 'tok_visa'));
      // Long enough for every server and every log to need space that is not there.
      await sleep(8000);
      expect(() => process.kill(stack.pids.stack, 0)).not.toThrow();
      if (victim !== 'api') expect(await lives()).toBe(true);

      rmSync(filler);
      await stack.waitRestarted(victim, killed);
      const answers = await Promise.all([...early, ...late]);
      await eventually('the stack to be ready', async () => {
        const ready = await Promise.all(
          [`${stack.apiUrl}/readyz`, `${stack.sandboxUrl}/readyz`].map((url) => fetch(url)),
        );
        return ready.every(({ ok }) => ok);
      });
      const sold = await expectWhole(shop, sku, 12, answers);
      expect(sold).toBeGreaterThan(0);
    },
  );

  test('on which the stack is stopped leaves no dev.json, and the next start finds all data', async () => {
    const sku = await shop.product(3);
    const id = await shop.reserved(sku);
    fill();
    expect(await stack.end('SIGTERM')).toBe(0);
    expect(existsSync(stack.devJson)).toBe(false);
    rmSync(filler);
    stack = await startStack({ WORKERS: '2', RETRY_BASE_SCALE: '0.01' }, { home: stack.home });
    shop = new Shop(stack);
    expect(await shop.statusOf(id)).toBe('reserved');
    expect(await shop.verified()).toEqual({ clean: true, differences: [] });
  });

  test('on which a stack is started says so in one message, exits 2 and leaves nothing running', async () => {
    fill();
    const home = join(disk, 'another');
    const started = spawnStack({ HOLDFAST_HOME: home });
    expect(await started.exited).toBe(2);
    const complaints = started
      .output()
      .split('\n')
      .filter((line) => line.startsWith('holdfast: '));
    expect(complaints).toEqual([expect.stringMatching(/no space left on device|No space left on device/)]);
    expect(complaints.join()).toContain(home);
    expect(started.output()).not.toContain('    at ');
    expect(processesOf(home)).toEqual([]);
  });
});

if (!canMount) test.skip('the test of a full disk needs root on Linux, to mount a small one', () => undefined);
