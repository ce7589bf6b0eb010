/** The whole product on Stripe's wire: the stack with PAYMENT_GATEWAY=stripe, whose Stripe is the sandbox. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { crashAt } from '../setup/crash-points.js';
import { ownStack } from '../setup/own-stack.js';
import { quickTakeover } from '../setup/stack.js';
import { eventually, holdings, type Shop } from '../shop.js';
import { paymentScenarios, paymentSurvives } from '../stack/crash/payment-scenarios.js';
import { cancelledAfter, type Phase, phases, scenarios, staysConsistent, survives } from '../stack/crash/scenarios.js';
import { atProcessor, refundOrder, sold, untilRefund } from '../stack/refunds/sale.js';
import { takeTour } from './tour.js';

const crashFolder = mkdtempSync(join(tmpdir(), 'holdfast-crash-'));
const own = ownStack({
  ...quickTakeover,
  PAYMENT_GATEWAY: 'stripe',
  HOLDFAST_CRASH_POINTS: crashFolder,
  // The tour has a card whose calls take 1.5 s.
  GATEWAY_TIMEOUT_SECONDS: '5',
});

let sql: postgres.Sql;
beforeAll(() => {
  sql = postgres(own.stack.databaseUrl, { max: 2, onnotice: () => undefined });
});
afterAll(() => sql?.end({ timeout: 1 }));

test('the tour of the README runs at Stripe as it does at the sandbox', async () => {
  await takeTour(own);
});

async function control(path: string, body?: object): Promise<void> {
  const init = body === undefined ? { method: 'DELETE' } : { method: 'POST', body: JSON.stringify(body) };
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${own.stack.sandboxUrl}/stripe-control/${path}`, { ...init, headers });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
}

/**
 * The order with this charge at each of its activities, in each phase. `authorizeCard` looks up the
 * id, makes a payment method, creates the payment, stores its id, and confirms it.
 */
const charges: readonly (readonly [what: string, activity: string, phases: readonly Phase[]])[] = [
  ['bought in one call', 'authorizeCard', [...phases, 'during2', 'during3', 'during4', 'during5']],
  ['bought in one call', 'captureCard', phases],
  ['paid with a card whose authorization is answered late', 'authorizeCard', ['during3', 'during5']],
  ['authorized but not captured, with the authorization undone', 'abandonCard', ['during']],
  ['authorized but not captured, with the authorization undone', 'undoCard', phases],
];

describe.each(charges)('an order at Stripe that is %s survives kill -9 of the worker', (what, activity, places) => {
  test.each(places)(`at ${activity}, %s it acts`, async (phase) => {
    const scenario = scenarios.find((each) => each.what === what);
    if (scenario === undefined) throw new Error(`no scenario is ${what}`);
    await survives(own.shop, crashFolder, scenario, activity, phase, own.outside.signal);
  });
});

describe('an order at Stripe whose worker dies stays consistent when it is cancelled before another resumes it', () => {
  test.each(cancelledAfter)('after %s', async (activity) => {
    const { shop } = own;
    await staysConsistent(shop, crashFolder, activity, (orderId) => shop.cancel(orderId));
  });
});

test.each(paymentScenarios)(
  'a payment without an order at Stripe survives kill -9 of the worker during $activity',
  async (scenario) => {
    await paymentSurvives(own.shop, crashFolder, scenario, 'during');
  },
);

describe('a refund at Stripe survives kill -9 of the worker: the money is returned once', () => {
  test.each(phases)('at refundPayment, %s it acts', async (phase) => {
    const { keys } = await refundSurvives(own.shop, phase);
    expect(new Set(keys).size).toBe(1);
  });
});

describe('an error that Stripe has stored under a key stops nothing, and nothing is done twice', () => {
  test.each(
    ['create', 'confirm', 'capture'].flatMap((call) => [
      { call, acts: false },
      { call, acts: true },
    ]),
  )('at $call (acted: $acts)', async ({ call, acts }) => {
    await control('call-faults', { call, answer: 'failed', acts });
    const { orderId, sku } = await sold(own.shop);
    expect(holdings(await own.shop.books(orderId))).toEqual({ open: 0, net: 3000 });
    expect(await own.shop.stock(sku)).toEqual({ onHand: 7, reserved: 0, available: 7 });
  });

  test.each([false, true])('at a refund (acted: %s)', async (acts) => {
    const { orderId } = await sold(own.shop);
    await control('call-faults', { call: 'refund', answer: 'failed', acts });
    const { body } = await refundOrder(own.shop, orderId, {}, { prefer: 'wait=1' });
    await untilRefund(own.shop, body.id, 'succeeded');
    expect((await atProcessor(own.shop, orderId)).refunded).toBe(3000);
  });
});

test('keys that Stripe has forgotten charge and refund nothing twice', async () => {
  const { shop } = own;
  // Stays in doubt while the keys are forgotten.
  await control('call-faults', { call: 'confirm', answer: 'rate_limited', times: 2 });
  const sku = await shop.product(5);
  const payment = { cardToken: 'tok_auth_lost_2' };
  const buying = shop.order({ lines: [{ sku, quantity: 3 }], payment, confirm: true });
  for (let n = 0; n < 20; n++) {
    await control('keys/expire', {});
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { body } = await shop.must(201, buying);
  const books = await shop.books(body.id);
  expect([books.length, holdings(books)]).toEqual([1, { open: 0, net: 3000 }]);
  await control('call-faults', { call: 'refund', answer: 'failed', acts: true });
  const { body: refund } = await refundOrder(shop, body.id, {}, { prefer: 'wait=1' });
  await control('keys/expire', {});
  await untilRefund(shop, refund.id, 'succeeded');
  expect((await atProcessor(shop, body.id)).refunded).toBe(3000);
});

test('events of Stripe that are dropped, doubled or out of order change nothing, and the others are kept once', async () => {
  const { shop } = own;
  await control('webhook-faults', { kind: 'drop', type: 'charge.succeeded', times: 1 });
  await control('webhook-faults', { kind: 'duplicate', type: 'payment_intent.succeeded', times: 1 });
  const { orderId, paymentId } = await sold(shop);
  await control('webhook-faults', { kind: 'reorder', times: 2 });
  await shop.must(201, refundOrder(shop, orderId));
  const [operation] = await sql<{ id: string }[]>`
    select provider_id as id from provider_operations where payment_id = ${paymentId}`;
  const kept = async () =>
    await sql<{ type: string }[]>`select type from processor_events where provider_id = ${operation?.id ?? ''}`;
  await eventually('the events of payment and refund', async () => {
    const types = (await kept()).map(({ type }) => type);
    return types.includes('payment_intent.succeeded') && types.includes('refund.created');
  });
  const types = (await kept()).map(({ type }) => type);
  expect(new Set(types).size).toBe(types.length);
  expect((await shop.get(`/api/payments/${paymentId}`)).body).toMatchObject({ status: 'refunded', refunded: 3000 });
  expect(holdings(await shop.books(orderId))).toEqual({ open: 0, net: 0 });
});

/**
 * Kills the worker at `refundPayment`.`phase` of a refund of 2 of 3 units with restock, and checks that it ends as if nothing had
 * happened. Returns the keys of the calls to refund at the processor.
 */
async function refundSurvives(shop: Shop, phase: string): Promise<{ keys: string[] }> {
  const { sku, orderId, paymentId } = await sold(shop);
  const crashed = crashAt(crashFolder, `refundPayment.${phase}`);
  const { body } = await refundOrder(shop, orderId, { lines: [{ sku, quantity: 2 }], restock: true });
  await crashed();
  await untilRefund(shop, body.id, 'succeeded');
  const { refunded, keys } = await atProcessor(shop, orderId);
  expect(refunded).toBe(2000);
  expect(await shop.stock(sku)).toMatchObject({ onHand: 9 });
  const payment = await shop.get(`/api/payments/${paymentId}`);
  expect(payment.body).toMatchObject({ status: 'partially_refunded', refunded: 2000, refundPending: 0 });
  return { keys };
}
