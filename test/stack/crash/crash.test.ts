import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { ownStack } from '../../setup/own-stack.js';
import { quickTakeover } from '../../setup/stack.js';
import { goodsStayConsistent, scenarios, staysConsistent, survives } from './scenarios.js';

const crashFolder = mkdtempSync(join(tmpdir(), 'holdfast-crash-'));
const own = ownStack({
  ...quickTakeover,
  HOLDFAST_CRASH_POINTS: crashFolder,
  SUPPLIER_RECHECK_SECONDS: '0.1',
});

/** A selection from the drill (test/drills/crash.drill.ts): the places most likely to double or lose money or stock. */
describe('an order survives kill -9 of the worker', () => {
  test.each([
    ['authorizeCard', 'during'],
    ['captureCard', 'after'],
    ['settleOrder', 'during'],
  ] as const)('at %s, %s it acts', async (activity, phase) => {
    const scenario = scenarios.find(({ activities }) => activities.includes(activity));
    if (scenario === undefined) throw new Error(`no scenario runs ${activity}`);
    await survives(own.shop, crashFolder, scenario, activity, phase, own.outside.signal);
  });
});

describe('an order whose worker dies stays consistent when it is cancelled before another worker resumes it', () => {
  test.each(['captureCard', 'settleOrder'] as const)('after %s', async (activity) => {
    const shop = own.shop;
    await staysConsistent(shop, crashFolder, activity, (orderId) => shop.cancel(orderId));
  });

  test("after a supplier's goods are received", async () => {
    await goodsStayConsistent(own.shop, crashFolder);
  });
});
