import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { quickTakeover, type ServerName, type Stack, startStack } from '../setup/stack.js';
import { phases } from '../stack/crash/scenarios.js';
import { transferScenarios, transferSurvives } from '../stack/crash/transfer-scenarios.js';
import { conserves } from '../stack/transfers/conservation.js';

const crashFolder = mkdtempSync(join(tmpdir(), 'holdfast-crash-'));
let stack: Stack;

beforeAll(async () => {
  stack = await startStack({
    ...quickTakeover,
    HOLDFAST_CRASH_POINTS: crashFolder,
    WORKERS: '2',
    RETRY_BASE_SCALE: '0.01',
    GATEWAY_TIMEOUT_SECONDS: '1',
    RATE_LIMIT_PER_MINUTE: '1000000',
  });
});
afterAll(() => stack?.stop());

describe.each(transferScenarios)('a transfer that is $what survives kill -9 of the worker', (scenario) => {
  describe.each(scenario.activities)('at %s', (activity) => {
    test.each(phases)('%s it acts', async (phase) => {
      await transferSurvives(stack, crashFolder, scenario, activity, phase);
    });
  });
});

describe('the sum over all places stands still while 200 transfers run both ways between two locations', () => {
  test.each<[ServerName]>([['worker'], ['api'], ['postgres'], ['temporal']])(
    'and %s is killed over and over',
    async (victim) => {
      const { readings, killed } = await conserves(stack, 200, victim);
      expect(readings).toBeGreaterThan(100);
      expect(killed).toBeGreaterThan(0);
      console.log(`  ${victim}: ${readings} readings, killed ${killed} times`);
    },
  );
});
