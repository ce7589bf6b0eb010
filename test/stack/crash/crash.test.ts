/**
 * Orders, refunds and replenishments whose worker is killed. A selection from the drills (test/drills): the places most likely
 * to double or lose money, goods or an order at a supplier.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { crashAt } from '../../setup/crash-points.js';
import { ownStack } from '../../setup/own-stack.js';
import { quickTakeover } from '../../setup/stack.js';
import { refundOrder, refundReview, sold } from '../refunds/sale.js';
import { refundScenarios, refundSurvives } from './refund-scenarios.js';
import { replenishmentScenarios, replenishmentSurvives } from './replenishment-scenarios.js';
import { goodsStayConsistent, scenarios, staysConsistent, survives } from './scenarios.js';

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

describe('an order survives kill -9 of the worker', () => {
  test.each([
    ['captureCard', 'after'],
    ['settleOrder', 'during'],
  ] as const)('at %s, %s it acts', async (activity, phase) => {
    await survives(own.shop, crashFolder, running(scenarios, activity), activity, phase, own.outside.signal);
  });
});

describe('an order whose worker dies stays consistent when it is cancelled before another worker resumes it', () => {
  test('after captureCard', async () => {
    await staysConsistent(own.shop, crashFolder, 'captureCard', (orderId) => own.shop.cancel(orderId));
  });

  test("after a supplier's goods are received", async () => {
    await goodsStayConsistent(own.shop, crashFolder);
  });
});

describe('a refund survives kill -9 of the worker: the money is returned once, and the goods come back once', () => {
  test.each([
    ['refundPayment', 'during'],
    ['settleRefund', 'after'],
  ] as const)('at %s, %s it acts', async (activity, phase) => {
    await refundSurvives(own.shop, crashFolder, running(refundScenarios, activity), activity, phase);
  });

  test('while the processor fails: the amount stays reserved, and a person decides', async () => {
    const { shop } = own;
    const { orderId, paymentId } = await sold(shop, 'tok_refund_down');
    const crashed = crashAt(crashFolder, 'refundPayment.during');
    const { body } = await refundOrder(shop, orderId, {}, { prefer: 'wait=1' });
    await crashed();
    await refundReview(shop, body.id);
    expect((await shop.get(`/api/payments/${paymentId}`)).body).toMatchObject({ refunded: 0, refundPending: 3000 });
  });
});

describe('a replenishment survives kill -9 of the worker', () => {
  test.each([
    ['placeSupplierOrder', 'during'],
    ['receiveDelivery', 'after'],
  ] as const)('at %s, %s it acts', async (activity, phase) => {
    await replenishmentSurvives(own.stack, crashFolder, running(replenishmentScenarios, activity), activity, phase);
  });
});
