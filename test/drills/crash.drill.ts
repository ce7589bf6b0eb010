import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { ownStack } from '../setup/own-stack.js';
import { quickTakeover } from '../setup/stack.js';
import {
  cancelledAfter,
  goodsStayConsistent,
  phases,
  scenarios,
  staysConsistent,
  survives,
} from '../stack/crash/scenarios.js';

const crashFolder = mkdtempSync(join(tmpdir(), 'holdfast-crash-'));
const own = ownStack({
  ...quickTakeover,
  HOLDFAST_CRASH_POINTS: crashFolder,
  SUPPLIER_RECHECK_SECONDS: '0.1',
  DRAFT_TTL_SECONDS: '15',
});

describe.each(scenarios)('an order that is $what survives kill -9 of the worker', (scenario) => {
  describe.each(scenario.activities)('at %s', (activity) => {
    test.each(phases)('%s it acts', async (phase) => {
      await survives(own.shop, crashFolder, scenario, activity, phase, own.outside.signal);
    });
  });
});

describe.each(cancelledAfter)('an order whose worker dies after %s stays consistent', (activity) => {
  test('when it is cancelled over the API before another worker resumes it', async () => {
    const shop = own.shop;
    await staysConsistent(shop, crashFolder, activity, (orderId) => shop.cancel(orderId));
  });

  test('when it is cancelled by a signal before another worker resumes it', async () => {
    await staysConsistent(own.shop, crashFolder, activity, (orderId) =>
      own.outside.signal(orderId, 'cancel', { reason: 'while no worker runs' }),
    );
  });
});

test("an order whose worker dies after a supplier's goods are received stays consistent when it is cancelled", async () => {
  await goodsStayConsistent(own.shop, crashFolder);
});
