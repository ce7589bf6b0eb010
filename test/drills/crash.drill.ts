import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { cancelledInTheDark, phases, scenarios, staysWhole, survives } from '../crash/scenarios.js';
import { type Stack, startStack } from '../setup/stack.js';
import { Shop } from '../shop.js';

const crashFolder = mkdtempSync(join(tmpdir(), 'holdfast-crash-'));
let stack: Stack;

beforeAll(async () => {
  stack = await startStack({
    HOLDFAST_CRASH_POINTS: crashFolder,
    RETRY_BASE_SCALE: '0.01',
    GATEWAY_TIMEOUT_SECONDS: '1',
    SUPPLIER_RECHECK_SECONDS: '0.1',
    RATE_LIMIT_PER_MINUTE: '1000000',
  });
});
afterAll(() => stack?.stop());

describe.each(scenarios)('an order that is $what survives kill -9 of the worker', (scenario) => {
  describe.each(scenario.activities)('at %s', (activity) => {
    test.each(phases)('%s it acts', async (phase) => {
      await survives(new Shop(stack), crashFolder, scenario, activity, phase);
    });
  });
});

describe.each(cancelledInTheDark)('an order whose worker dies after %s stays whole', (activity) => {
  test('when it is cancelled over the API before another worker takes it up', async () => {
    const shop = new Shop(stack);
    await staysWhole(shop, crashFolder, activity, (orderId) => shop.cancel(orderId));
  });

  test('when it is cancelled by a signal before another worker takes it up', async () => {
    const connection = await Connection.connect({ address: stack.temporalAddress });
    const { workflow } = new Client({ connection });
    await staysWhole(new Shop(stack), crashFolder, activity, (orderId) =>
      workflow.getHandle(`order/${orderId}`).signal('cancel', { reason: 'in the dark' }),
    );
    await connection.close();
  });
});
