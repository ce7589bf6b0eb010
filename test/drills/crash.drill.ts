import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { quickTakeover, type Stack, startStack } from '../setup/stack.js';
import { Shop } from '../shop.js';
import { cancelledInTheDark, phases, scenarios, staysWhole, survives } from '../stack/crash/scenarios.js';
import { type Outside, outsideOf } from '../temporal.js';

const crashFolder = mkdtempSync(join(tmpdir(), 'holdfast-crash-'));
let stack: Stack;
let outside: Outside;

beforeAll(async () => {
  stack = await startStack({
    ...quickTakeover,
    HOLDFAST_CRASH_POINTS: crashFolder,
    RETRY_BASE_SCALE: '0.01',
    GATEWAY_TIMEOUT_SECONDS: '1',
    SUPPLIER_RECHECK_SECONDS: '0.1',
    DRAFT_TTL_SECONDS: '15',
    RATE_LIMIT_PER_MINUTE: '1000000',
  });
  outside = await outsideOf(stack);
});
afterAll(async () => {
  await outside?.close();
  await stack?.stop();
});

describe.each(scenarios)('an order that is $what survives kill -9 of the worker', (scenario) => {
  describe.each(scenario.activities)('at %s', (activity) => {
    test.each(phases)('%s it acts', async (phase) => {
      await survives(new Shop(stack), crashFolder, scenario, activity, phase, outside.signal);
    });
  });
});

describe.each(cancelledInTheDark)('an order whose worker dies after %s stays whole', (activity) => {
  test('when it is cancelled over the API before another worker takes it up', async () => {
    const shop = new Shop(stack);
    await staysWhole(shop, crashFolder, activity, (orderId) => shop.cancel(orderId));
  });

  test('when it is cancelled by a signal before another worker takes it up', async () => {
    await staysWhole(new Shop(stack), crashFolder, activity, (orderId) =>
      outside.signal(orderId, 'cancel', { reason: 'in the dark' }),
    );
  });
});
