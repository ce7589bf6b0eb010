import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { ownStack } from '../setup/own-stack.js';
import { quickTakeover } from '../setup/stack.js';
import { replenishmentScenarios, replenishmentSurvives } from '../stack/crash/replenishment-scenarios.js';
import { phases } from '../stack/crash/scenarios.js';

const crashFolder = mkdtempSync(join(tmpdir(), 'holdfast-crash-'));
const own = ownStack({
  ...quickTakeover,
  HOLDFAST_CRASH_POINTS: crashFolder,
  RETRY_BASE_SCALE: '0.001',
  DELIVERY_CHECK_SECONDS: '0.3',
});

describe.each(replenishmentScenarios)('a replenishment that is $what survives kill -9 of the worker', (scenario) => {
  describe.each(scenario.activities)('at %s', (activity) => {
    test.each(phases)('%s it acts', async (phase) => {
      await replenishmentSurvives(own.stack, crashFolder, scenario, activity, phase);
    });
  });
});
