/** Background work and standalone payments, each with the worker killed in the middle. */
import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Stack, startStack } from '../setup/stack.js';
import { eventually, holdings, newEmail, Shop } from '../shop.js';
import { phases } from '../stack/crash/scenarios.js';
import { type Outside, outsideOf } from '../temporal.js';

const crashFolder = mkdtempSync(join(tmpdir(), 'holdfast-crash-'));
let stack: Stack;
let shop: Shop;
let outside: Outside;

beforeAll(async () => {
  stack = await startStack({
    HOLDFAST_CRASH_POINTS: crashFolder,
    RETRY_BASE_SCALE: '0.01',
    GATEWAY_TIMEOUT_SECONDS: '1',
    EXPIRY_SWEEP_SECONDS: '1',
    DRAFT_TTL_SECONDS: '3',
    RATE_LIMIT_PER_MINUTE: '1000000',
  });
  shop = new Shop(stack);
  outside = await outsideOf(stack);
});
afterAll(async () => {
  await outside?.close();
  await stack?.stop();
});

/** Arms a crash point. Returns a function that waits until it has killed a worker. */
function crashAt(place: string): () => Promise<unknown> {
  mkdirSync(crashFolder, { recursive: true });
  const taken = () => readdirSync(crashFolder).filter((file) => file.startsWith(`${place}.taken.`)).length;
  const before = taken();
  writeFileSync(join(crashFolder, place), '');
  return () => eventually(`${place} to have killed a worker`, async () => taken() === before + 1);
}

async function verifies(): Promise<void> {
  expect(await shop.verified()).toEqual({ clean: true, differences: [] });
}

describe('a receipt is sent once if its worker is killed', () => {
  test.each(phases)('%s it acts', async (phase) => {
    const sku = await shop.product(3);
    const email = newEmail();
    const crashed = crashAt(`sendNotices.${phase}`);
    const payment = { cardToken: 'tok_visa' };
    await shop.must(201, shop.order({ lines: [{ sku, quantity: 1 }], customer: { email }, payment, confirm: true }));
    await crashed();
    await eventually('the receipt', async () => (await shop.mailTo(email)).length > 0);
    // Once a later receipt has arrived, every earlier one has too.
    const later = newEmail();
    await shop.must(
      201,
      shop.order({ lines: [{ sku, quantity: 1 }], customer: { email: later }, payment, confirm: true }),
    );
    await eventually('the later receipt', async () => (await shop.mailTo(later)).length > 0);
    expect(await shop.mailTo(email)).toHaveLength(1);
  });
});

describe('a standalone payment ends as if its worker had not been killed', () => {
  test.each(
    phases.flatMap((phase) => [
      { place: `recordPayment.${phase}`, cardToken: 'tok_visa', status: 'captured', net: 4200 },
      { place: `abandonPayment.${phase}`, cardToken: 'tok_capture_declined', status: 'declined', net: 0 },
    ]),
  )('at $place', async ({ place, cardToken, status, net }) => {
    const crashed = crashAt(place);
    const { body } = await shop.post(
      '/api/payments',
      { amount: 4200, currency: 'EUR', cardToken },
      { prefer: 'wait=30' },
    );
    await crashed();
    const id = body.id ?? body.paymentId;
    const read = async () => (await shop.must(200, shop.get(`/api/payments/${id}`))).body.status;
    await eventually('the payment to be decided', async () => (await read()) !== 'pending');
    expect(await read()).toBe(status);
    const books = await shop.books(id);
    expect(books).toHaveLength(1);
    expect(holdings(books)).toEqual({ open: 0, net });
  });
});

describe('the sweep is done by the next worker if one is killed', () => {
  test.each(['during', 'after'] as const)('%s it expires reservations', async (phase) => {
    const sku = await shop.product(3);
    const { body } = await shop.must(201, shop.post('/api/reservations', { sku, quantity: 2, expiresInSeconds: 1 }));
    const crashed = crashAt(`expireReservations.${phase}`);
    await crashed();
    await eventually('the stock to be free', async () => (await shop.stock(sku)).reserved === 0);
    expect((await shop.must(200, shop.get(`/api/reservations/${body.id}`))).body.status).toBe('expired');
    const { body: movements } = await shop.must(200, shop.get(`/api/inventory/${sku}/movements`));
    expect(movements.items.filter(({ kind }: { kind: string }) => kind === 'expired')).toHaveLength(1);
    await verifies();
  });

  test.each(['during', 'after'] as const)('%s it ends orders whose workflow was lost', async (phase) => {
    const { body } = await shop.must(201, shop.order({}));
    await outside.terminate(body.id);
    const crashed = crashAt(`expireOrders.${phase}`);
    await crashed();
    await eventually('the order to be expired', async () => (await shop.statusOf(body.id)) === 'expired');
    expect(await shop.path(body.id)).toEqual(['pending', 'draft', 'expired']);
    await verifies();
  });
});
