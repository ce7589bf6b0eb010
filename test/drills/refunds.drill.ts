import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { ownStack } from '../setup/own-stack.js';
import { quickTakeover } from '../setup/stack.js';
import { refundScenarios, refundSurvives } from '../stack/crash/refund-scenarios.js';
import { phases } from '../stack/crash/scenarios.js';

const crashFolder = mkdtempSync(join(tmpdir(), 'holdfast-crash-'));
const own = ownStack({ ...quickTakeover, HOLDFAST_CRASH_POINTS: crashFolder });

describe.each(refundScenarios)('a refund that is $what survives kill -9 of the worker', (scenario) => {
  describe.each(scenario.activities)('at %s', (activity) => {
    test.each(phases)('%s it acts', async (phase) => {
      await refundSurvives(own.shop, crashFolder, scenario, activity, phase);
    });
  });
});
