import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { quickTakeover, type Stack, startStack } from '../setup/stack.js';
import { replenishmentScenarios, replenishmentSurvives } from '../stack/crash/replenishment-scenarios.js';
import { phases } from '../stack/crash/scenarios.js';

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

describe.each(replenishmentScenarios)('a replenishment that is $what survives kill -9 of the worker', (scenario) => {
  describe.each(scenario.activities)('at %s', (activity) => {
    test.each(phases)('%s it acts', async (phase) => {
      await replenishmentSurvives(stack, crashFolder, scenario, activity, phase);
    });
  });
});
