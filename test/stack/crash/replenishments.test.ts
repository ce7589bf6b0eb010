import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { quickTakeover, type Stack, startStack } from '../../setup/stack.js';
import { replenishmentScenarios, replenishmentSurvives } from './replenishment-scenarios.js';

const crashFolder = mkdtempSync(join(tmpdir(), 'holdfast-crash-'));
let stack: Stack;

beforeAll(async () => {
  stack = await startStack({
    ...quickTakeover,
    HOLDFAST_CRASH_POINTS: crashFolder,
    RETRY_BASE_SCALE: '0.001',
    GATEWAY_TIMEOUT_SECONDS: '1',
    DELIVERY_CHECK_SECONDS: '0.3',
    RATE_LIMIT_PER_MINUTE: '1000000',
  });
});
afterAll(() => stack?.stop());

/** A cut of the drill (test/drills/replenishment.drill.ts): where an order or a delivery is most likely to be doubled or lost. */
describe('a replenishment survives kill -9 of the worker', () => {
  test.each([
    ['placeSupplierOrder', 'during'],
    ['receiveDelivery', 'after'],
  ] as const)('at %s, %s it acts', async (activity, phase) => {
    const scenario = replenishmentScenarios.find(({ activities }) => activities.includes(activity));
    if (scenario === undefined) throw new Error(`no scenario comes by ${activity}`);
    await replenishmentSurvives(stack, crashFolder, scenario, activity, phase);
  });
});
