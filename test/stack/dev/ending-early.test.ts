/** Stacks that end in the middle of their start. They spend most of their time waiting, so they run at once. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { spawnStack, startStack } from '../../setup/stack.js';
import { Shop } from '../../shop.js';
import { buyFromDemoShop } from './demo-shop.js';
import { leftAfter } from './processes.js';

// Whole stacks start here, on a machine that runs others beside them.
vi.setConfig({ testTimeout: 180_000 });

describe.concurrent('a stack that ends', () => {
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
    expect(await buyFromDemoShop(new Shop(whole))).toBe('confirmed');
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
        // A process that has not yet run its first line dies of the signal.
        starting.child.kill(name);
        starting.child.kill(name);
        expect([0, null]).toContain(await starting.exited);
        expect(await leftAfter(early, 3000)).toEqual([]);
      }
      rmSync(early, { recursive: true, force: true });
    },
  );
});
