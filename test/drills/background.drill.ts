/** Background work and standalone payments, each with the worker killed in the middle. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { crashAt } from '../setup/crash-points.js';
import { ownStack } from '../setup/own-stack.js';
import { eventually, newEmail } from '../shop.js';
import { paymentScenarios, paymentSurvives } from '../stack/crash/payment-scenarios.js';
import { phases } from '../stack/crash/scenarios.js';

const crashFolder = mkdtempSync(join(tmpdir(), 'holdfast-crash-'));
const own = ownStack({
  HOLDFAST_CRASH_POINTS: crashFolder,
  EXPIRY_SWEEP_SECONDS: '1',
  DRAFT_TTL_SECONDS: '3',
});

async function verifies(): Promise<void> {
  expect(await own.shop.verified()).toEqual({ clean: true, differences: [] });
}

describe('a receipt is sent once if its worker is killed', () => {
  test.each(phases)('%s it acts', async (phase) => {
    const sku = await own.shop.product(3);
    const email = newEmail();
    const crashed = crashAt(crashFolder, `sendNotices.${phase}`);
    const payment = { cardToken: 'tok_visa' };
    await own.shop.must(
      201,
      own.shop.order({ lines: [{ sku, quantity: 1 }], customer: { email }, payment, confirm: true }),
    );
    await crashed();
    await eventually('the receipt', async () => (await own.shop.mailTo(email)).length > 0);
    // Once a later receipt has arrived, every earlier one has too.
    const later = newEmail();
    await own.shop.must(
      201,
      own.shop.order({ lines: [{ sku, quantity: 1 }], customer: { email: later }, payment, confirm: true }),
    );
    await eventually('the later receipt', async () => (await own.shop.mailTo(later)).length > 0);
    expect(await own.shop.mailTo(email)).toHaveLength(1);
  });
});

describe.each(paymentScenarios)('a standalone payment ends as if its worker had not been killed', (scenario) => {
  test.each(phases)(`at ${scenario.activity}, %s it acts`, async (phase) => {
    await paymentSurvives(own.shop, crashFolder, scenario, phase);
  });
});

describe('the sweep is done by the next worker if one is killed', () => {
  test.each(['during', 'after'] as const)('%s it expires reservations', async (phase) => {
    const sku = await own.shop.product(3);
    const { body } = await own.shop.must(
      201,
      own.shop.post('/api/reservations', { sku, quantity: 2, expiresInSeconds: 1 }),
    );
    const crashed = crashAt(crashFolder, `expireReservations.${phase}`);
    await crashed();
    await eventually('the stock to be free', async () => (await own.shop.stock(sku)).reserved === 0);
    expect((await own.shop.must(200, own.shop.get(`/api/reservations/${body.id}`))).body.status).toBe('expired');
    const { body: movements } = await own.shop.must(200, own.shop.get(`/api/inventory/${sku}/movements`));
    expect(movements.items.filter(({ kind }: { kind: string }) => kind === 'expired')).toHaveLength(1);
    await verifies();
  });

  test.each(['during', 'after'] as const)('%s it ends orders whose workflow was lost', async (phase) => {
    const { body } = await own.shop.must(201, own.shop.order({}));
    await own.outside.terminate(body.id);
    const crashed = crashAt(crashFolder, `expireOrders.${phase}`);
    await crashed();
    await eventually('the order to be expired', async () => (await own.shop.statusOf(body.id)) === 'expired');
    expect(await own.shop.path(body.id)).toEqual(['pending', 'draft', 'expired']);
    await verifies();
  });
});
