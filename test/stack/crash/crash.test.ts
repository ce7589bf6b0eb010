import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { quickTakeover, type Stack, startStack } from '../../setup/stack.js';
import { Shop } from '../../shop.js';
import { type Outside, outsideOf } from '../../temporal.js';
import { goodsStayWhole, scenarios, staysWhole, survives } from './scenarios.js';

const crashFolder = mkdtempSync(join(tmpdir(), 'holdfast-crash-'));
let stack: Stack;
let outside: Outside;

beforeAll(async () => {
  stack = await startStack({
    ...quickTakeover,
    HOLDFAST_CRASH_POINTS: crashFolder,
    RETRY_BASE_SCALE: '0.01',
    GATEWAY_TIMEOUT_SECONDS: '1',
    SUPPLIER_RECHECK_SECONDS: '0.1',
    RATE_LIMIT_PER_MINUTE: '1000000',
  });
  outside = await outsideOf(stack);
});
afterAll(async () => {
  await outside?.close();
  await stack?.stop();
});

/** A cut of the drill (test/drills/crash.drill.ts): where money or stock is most likely to be doubled or lost. */
describe('an order survives kill -9 of the worker', () => {
  test.each([
    ['authorizeCard', 'during'],
    ['captureCard', 'after'],
    ['settleOrder', 'during'],
  ] as const)('at %s, %s it acts', async (activity, phase) => {
    const scenario = scenarios.find(({ activities }) => activities.includes(activity));
    if (scenario === undefined) throw new Error(`no scenario comes by ${activity}`);
    await survives(new Shop(stack), crashFolder, scenario, activity, phase, outside.signal);
  });
});

describe('an order whose worker dies stays whole when it is cancelled before another takes it up', () => {
  test.each(['captureCard', 'settleOrder'] as const)('after %s', async (activity) => {
    const shop = new Shop(stack);
    await staysWhole(shop, crashFolder, activity, (orderId) => shop.cancel(orderId));
  });

  test("after a supplier's goods came in", async () => {
    await goodsStayWhole(new Shop(stack), crashFolder);
  });
});
