import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { crashAt } from '../setup/crash-points.js';
import { ownStack } from '../setup/own-stack.js';
import { quickTakeover } from '../setup/stack.js';
import { refundScenarios, refundSurvives } from '../stack/crash/refund-scenarios.js';
import { phases } from '../stack/crash/scenarios.js';
import { refundOrder, refundReview, sold } from '../stack/refunds/sale.js';

const crashFolder = mkdtempSync(join(tmpdir(), 'holdfast-crash-'));
const own = ownStack({ ...quickTakeover, HOLDFAST_CRASH_POINTS: crashFolder });

describe.each(refundScenarios)('a refund that is $what survives kill -9 of the worker', (scenario) => {
  describe.each(scenario.activities)('at %s', (activity) => {
    test.each(phases)('%s it acts', async (phase) => {
      await refundSurvives(own.shop, crashFolder, scenario, activity, phase);
    });
  });
});

test('a refund whose worker dies while the processor fails: the amount stays reserved, and a person decides', async () => {
  const { shop } = own;
  const { orderId, paymentId } = await sold(shop, 'tok_refund_down');
  const crashed = crashAt(crashFolder, 'refundPayment.during');
  const { body } = await refundOrder(shop, orderId, {}, { prefer: 'wait=1' });
  await crashed();
  await refundReview(shop, body.id);
  expect((await shop.get(`/api/payments/${paymentId}`)).body).toMatchObject({ refunded: 0, refundPending: 3000 });
});
