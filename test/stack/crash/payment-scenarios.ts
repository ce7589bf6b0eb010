/** Payments without an order whose worker is killed at a chosen place, and what must be true afterwards. See scenarios.ts. */
import { expect } from 'vitest';
import { crashAt } from '../../setup/crash-points.js';
import { eventually, holdings, type Shop } from '../../shop.js';
import type { Phase } from './scenarios.js';

interface PaymentScenario {
  readonly activity: string;
  readonly cardToken: string;
  /** The payment's status at the end, and the net of the processor's books. */
  readonly status: string;
  readonly net: number;
}

export const paymentScenarios: readonly PaymentScenario[] = [
  { activity: 'recordPayment', cardToken: 'tok_visa', status: 'captured', net: 4200 },
  { activity: 'abandonPayment', cardToken: 'tok_capture_declined', status: 'declined', net: 0 },
];

/** Kills the worker at `phase` of the scenario's activity, and checks that the payment ends as if nothing had happened. */
export async function paymentSurvives(
  shop: Shop,
  crashFolder: string,
  { activity, cardToken, status, net }: PaymentScenario,
  phase: Phase,
): Promise<void> {
  const crashed = crashAt(crashFolder, `${activity}.${phase}`);
  const payment = { amount: 4200, currency: 'EUR', cardToken };
  const { body } = await shop.post('/api/payments', payment, { prefer: 'wait=30' });
  await crashed();
  const id = body.id ?? body.paymentId;
  const read = async () => (await shop.must(200, shop.get(`/api/payments/${id}`))).body.status;
  await eventually('the payment to be decided', async () => (await read()) !== 'pending');
  expect(await read()).toBe(status);
  const books = await shop.books(id);
  expect(books).toHaveLength(1);
  expect(holdings(books)).toEqual({ open: 0, net });
}
