/**
 * One kill of each kind of saga, at the place most likely to double or lose money, goods or an order at a supplier. All the
 * other places are in the drills (test/drills).
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'vitest';
import { ownStack } from '../../setup/own-stack.js';
import { quickTakeover } from '../../setup/stack.js';
import { refundScenarios, refundSurvives } from './refund-scenarios.js';
import { replenishmentScenarios, replenishmentSurvives } from './replenishment-scenarios.js';
import { scenarios, survives } from './scenarios.js';
import { transferScenarios, transferSurvives } from './transfer-scenarios.js';

const crashFolder = mkdtempSync(join(tmpdir(), 'holdfast-crash-'));
const own = ownStack({
  ...quickTakeover,
  HOLDFAST_CRASH_POINTS: crashFolder,
  RETRY_BASE_SCALE: '0.001',
  SUPPLIER_RECHECK_SECONDS: '0.1',
  DELIVERY_CHECK_SECONDS: '0.3',
});

/** The scenario that runs the activity. */
function running<Scenario extends { readonly activities: readonly string[] }>(
  all: readonly Scenario[],
  activity: string,
): Scenario {
  const scenario = all.find(({ activities }) => activities.includes(activity));
  if (scenario === undefined) throw new Error(`no scenario runs ${activity}`);
  return scenario;
}

test('an order survives kill -9 of the worker after captureCard acts', async () => {
  await survives(own.shop, crashFolder, running(scenarios, 'captureCard'), 'captureCard', 'after', own.outside.signal);
});

test('a refund survives kill -9 of the worker during settleRefund: the money is returned once, and the goods come back once', async () => {
  await refundSurvives(own.shop, crashFolder, running(refundScenarios, 'settleRefund'), 'settleRefund', 'during');
});

test('a replenishment survives kill -9 of the worker during placeSupplierOrder', async () => {
  const scenario = running(replenishmentScenarios, 'placeSupplierOrder');
  await replenishmentSurvives(own.stack, crashFolder, scenario, 'placeSupplierOrder', 'during');
});

test('a transfer survives kill -9 of the worker during moveTransfer', async () => {
  await transferSurvives(own.stack, crashFolder, running(transferScenarios, 'moveTransfer'), 'moveTransfer', 'during');
});
