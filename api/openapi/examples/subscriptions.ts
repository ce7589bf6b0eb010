/** Examples for the document: subscriptions and test clocks. */
const start = '2026-12-01T00:00:00.000000Z';
const end = '2027-01-01T00:00:00.000000Z';
const change = '2026-12-16T12:00:00.000000Z';

const smallPlan = { amount: 1000, currency: 'USD', interval: 'month' } as const;
export const planExample = { amount: 2000, currency: 'USD', interval: 'month' } as const;

export const newSubscriptionExample = {
  customerId: 'cus_1001',
  email: 'ada@example.com',
  plan: smallPlan,
  cardToken: 'tok_visa',
} as const;

export const subscriptionExample = {
  id: 'sub_01a1fcc2d4e77f0b8a6c5d4e3f2a1b0c',
  status: 'active',
  customerId: 'cus_1001',
  plan: smallPlan,
  currentPeriod: { start, end },
  anchor: start,
  cancelAtPeriodEnd: false,
  creditBalance: 0,
  testClock: null,
  failure: null,
  createdAt: start,
} as const;
export const pendingSubscriptionExample = { ...subscriptionExample, status: 'scheduled', currentPeriod: null } as const;
export const pausedSubscriptionExample = { ...subscriptionExample, status: 'paused', currentPeriod: null } as const;
export const cancelledAtEndExample = { ...subscriptionExample, cancelAtPeriodEnd: true } as const;
export const changedSubscriptionExample = {
  ...subscriptionExample,
  plan: planExample,
  proration: { credit: 500, charge: 1000, net: 500, from: change, to: end },
} as const;

export const billingRecordExample = {
  id: 'bil_01a1fcc2d4e77f0b8a6c5d4e3f2a1b0c',
  kind: 'period',
  period: { start, end },
  amount: 1000,
  credit: 0,
  charged: 1000,
  paymentId: 'pay_01a1fca5c20b7f1e9d3a4b5c6d7e8f90',
  status: 'paid',
  attempts: 1,
  lines: [{ description: '10.00 USD a month', from: start, to: end, amount: 1000 }],
  createdAt: start,
} as const;

export const testClockExample = { id: 'clk_01a1fcc2d4e77f0b8a6c5d4e3f2a1b0c', now: start, status: 'ready' } as const;
export const advancedClockExample = { ...testClockExample, now: end } as const;
export const advancingClockExample = { ...testClockExample, status: 'advancing' } as const;
