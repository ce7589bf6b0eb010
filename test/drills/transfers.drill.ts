import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ownStack } from '../setup/own-stack.js';
import { quickTakeover, type ServerName } from '../setup/stack.js';
import { phases } from '../stack/crash/scenarios.js';
import { transferScenarios, transferSurvives } from '../stack/crash/transfer-scenarios.js';
import { conserves } from '../stack/transfers/conservation.js';

const crashFolder = mkdtempSync(join(tmpdir(), 'holdfast-crash-'));
const own = ownStack({
  ...quickTakeover,
  HOLDFAST_CRASH_POINTS: crashFolder,
  WORKERS: '2',
});

describe.each(transferScenarios)('a transfer that is $what survives kill -9 of the worker', (scenario) => {
  describe.each(scenario.activities)('at %s', (activity) => {
    test.each(phases)('%s it acts', async (phase) => {
      await transferSurvives(own.stack, crashFolder, scenario, activity, phase);
    });
  });
});

describe('total stock is constant while 200 transfers run both ways between two locations', () => {
  test.each<[ServerName]>([['worker'], ['api'], ['postgres'], ['temporal']])(
    'and %s is killed over and over',
    async (victim) => {
      const { readings, killed } = await conserves(own.stack, 200, victim);
      expect(readings).toBeGreaterThan(100);
      expect(killed).toBeGreaterThan(0);
      console.log(`  ${victim}: ${readings} readings, killed ${killed} times`);
    },
  );
});
