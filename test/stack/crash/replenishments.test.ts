import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { ownStack } from '../../setup/own-stack.js';
import { quickTakeover } from '../../setup/stack.js';
import { replenishmentScenarios, replenishmentSurvives } from './replenishment-scenarios.js';

const crashFolder = mkdtempSync(join(tmpdir(), 'holdfast-crash-'));
const own = ownStack({
  ...quickTakeover,
  HOLDFAST_CRASH_POINTS: crashFolder,
  RETRY_BASE_SCALE: '0.001',
  DELIVERY_CHECK_SECONDS: '0.3',
});

/** A selection from the drill (test/drills/replenishment.drill.ts): the places most likely to double or lose an order or a delivery. */
describe('a replenishment survives kill -9 of the worker', () => {
  test.each([
    ['placeSupplierOrder', 'during'],
    ['receiveDelivery', 'after'],
  ] as const)('at %s, %s it acts', async (activity, phase) => {
    const scenario = replenishmentScenarios.find(({ activities }) => activities.includes(activity));
    if (scenario === undefined) throw new Error(`no scenario runs ${activity}`);
    await replenishmentSurvives(own.stack, crashFolder, scenario, activity, phase);
  });
});
