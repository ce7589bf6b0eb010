/** The parts of answers about subscriptions. Loaded with resources.ts. */
import { z } from 'zod';
import { failure, listOf, money } from './shapes.js';

const plan = z.object({ ...money.shape, interval: z.string() });
const period = z.object({ start: z.string(), end: z.string() });

export const subscription = z.object({
  id: z.string(),
  status: z.string(),
  customerId: z.string(),
  plan,
  currentPeriod: period.nullable(),
  anchor: z.string(),
  cancelAtPeriodEnd: z.boolean(),
  creditBalance: z.number(),
  testClock: z.string().nullable(),
  failure: failure.nullable(),
  createdAt: z.string(),
});
export const subscriptionPage = listOf(subscription);
export const changedSubscription = subscription.extend({
  proration: z.object({ credit: z.number(), charge: z.number(), net: z.number() }).nullable(),
});

const billingRecord = z.object({
  id: z.string(),
  kind: z.string(),
  period,
  amount: z.number(),
  credit: z.number(),
  charged: z.number(),
  paymentId: z.string().nullable(),
  status: z.string(),
  attempts: z.number(),
});
export const billingRecordPage = listOf(billingRecord);

export const testClock = z.object({ id: z.string(), now: z.string(), status: z.string() });
