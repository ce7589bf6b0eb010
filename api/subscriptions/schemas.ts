import { z } from 'zod';
import { maxCustomerIdLength } from '../../domain/limits.js';
import { billingKinds, planIntervals, subscriptionStatuses } from '../../domain/subscriptions/states.js';
import type { Shape } from '../http/route.js';
import {
  anyTime,
  createdAt,
  currency,
  failure,
  id,
  minorUnits,
  pageOf,
  pageQuery,
  shown,
  shownOrNull,
  text,
  time,
} from '../http/schemas.js';
import { backupCardToken, cardToken, email } from '../shapes/payment.js';

export const subscriptionId = z.strictObject({ id: id('sub') });

const customerId = text(maxCustomerIdLength).openapi({
  description: 'Your own id for the customer.',
  example: 'cus_1001',
});
const status = z.enum(subscriptionStatuses);
const amount = minorUnits.openapi({ description: 'What a whole period costs, in minor units.', example: 1000 });
const interval = z.enum(planIntervals).openapi({ description: 'How long a period is.', example: 'month' });
const plan = z
  .strictObject({ amount, currency, interval })
  .openapi('Plan', { description: 'What each period costs, and how long it is.' });

export const subscriptionQuery = z.strictObject({
  customerId: customerId.openapi({ description: 'Only subscriptions of this customer.' }).optional(),
  status: status.openapi({ description: 'Only subscriptions of this status.', example: 'active' }).optional(),
  ...pageQuery,
});
export const recordQuery = z.strictObject(pageQuery);

/** Intervals whose periods begin on a day of the month. */
const ofMonths: readonly string[] = ['month', 'year'];

export const newSubscription = z
  .strictObject({
    customerId,
    email: email.optional(),
    plan,
    cardToken,
    backupCardToken: backupCardToken.optional(),
    startAt: anyTime
      .openapi({
        description: 'When the first period begins, to the second; default: now. Not before now.',
        example: '2026-12-01T00:00:00Z',
      })
      .optional(),
    anchorDay: z
      .int()
      .min(1)
      .max(31)
      .openapi({
        description:
          'The day of the month on which periods begin; in shorter months the last day. For `month` and `year` only. A first period that is shorter is charged in proportion.',
        example: 1,
      })
      .optional(),
    testClock: id('clk')
      .openapi({ description: 'The test clock whose time it follows; absent: real time.' })
      .optional(),
  })
  .refine(({ anchorDay, plan: { interval: every } }) => anchorDay === undefined || ofMonths.includes(every), {
    path: ['anchorDay'],
    message: 'is for plans by month or year only',
  });

export const newPlan = z.strictObject({ plan });
export const cancellation = z.strictObject({
  atPeriodEnd: z
    .boolean()
    .openapi({ description: 'Whether it runs to the end of its period; default: it ends now.', example: true })
    .optional(),
});
export const newCards = z.strictObject({ cardToken, backupCardToken: backupCardToken.optional() });

const period = z.object({
  start: time.openapi({ description: 'When it begins.', example: '2026-12-01T00:00:00.000000Z' }),
  end: time.openapi({ description: 'When it ends: the next one begins then.', example: '2027-01-01T00:00:00.000000Z' }),
});

const shownSubscription = z.object({
  id: id('sub'),
  status: status.openapi({
    description:
      '`scheduled`: its first period has not begun. `past_due`: its card was refused and is tried again. `unpaid`: it is not tried again until there is another card.',
  }),
  customerId: shown('Your own id for the customer.', 'cus_1001'),
  plan,
  currentPeriod: period.nullable().openapi({
    description: 'The period that runs now; null where it is scheduled, paused or cancelled.',
  }),
  anchor: time.openapi({
    description: 'The instant from which all periods are counted.',
    example: '2026-12-01T00:00:00.000000Z',
  }),
  cancelAtPeriodEnd: z.boolean().openapi({ description: 'Whether it ends with its period.' }),
  creditBalance: minorUnits.openapi({
    description: 'What the next records take from, before a card is charged, in minor units.',
    example: 0,
  }),
  testClock: shownOrNull('The test clock whose time it follows; null: real time.', null),
  failure,
  createdAt,
});

export const subscription = shownSubscription.openapi('Subscription', {
  description: 'A plan that a customer pays for, period by period, with a stored card.',
});
export type Subscription = Shape<typeof subscription>;

const instant = (description: string) => time.openapi({ description, example: '2026-12-16T12:00:00.000000Z' });

export const changedSubscription = z
  .object({
    ...shownSubscription.shape,
    proration: z
      .object({
        credit: minorUnits.openapi({ description: 'For the time of the old plan that is not used.', example: 500 }),
        charge: minorUnits.openapi({ description: 'For the same time at the new plan.', example: 1000 }),
        net: z
          .int()
          .openapi({ description: '`charge` − `credit`: charged now, or below 0 added to the credit.', example: 500 }),
        from: instant('When the new plan begins.'),
        to: instant('When the period ends.'),
      })
      .nullable()
      .openapi({ description: 'The difference that the change makes, in minor units; null: not decided yet.' }),
  })
  .openapi('ChangedSubscription', { description: 'A subscription after a change of its plan.' });
export type ChangedSubscription = Shape<typeof changedSubscription>;

const signed = (description: string, example: number) => z.int().openapi({ description, example });

const billingRecord = z
  .object({
    id: id('bil'),
    kind: z.enum(billingKinds).openapi({
      description: 'What it bills: a period, or the difference that a change of plan makes.',
    }),
    period: period.openapi({ description: 'What the record is for.' }),
    amount: signed('`credit` + `charged`, in minor units; below 0 where a change costs less.', 1000),
    credit: signed('Taken from the credit balance; below 0 where it was added to it.', 0),
    charged: minorUnits.openapi({ description: 'Asked from the card, in minor units.', example: 1000 }),
    paymentId: shownOrNull(
      'The payment that paid it, else the last attempt; null: no card was asked.',
      'pay_01a1fca5c20b7f1e9d3a4b5c6d7e8f90',
    ),
    status: z.enum(['paid', 'failed', 'void']).openapi({ description: '`void`: no longer owed.' }),
    attempts: z.int().min(0).openapi({ description: 'How often a card was asked.', example: 1 }),
    lines: z
      .array(
        z.object({
          description: shown('What it is for.', '10.00 USD a month'),
          from: instant('From when.'),
          to: instant('Until when.'),
          amount: signed('In minor units; below 0: a credit.', 1000),
        }),
      )
      .openapi({ description: 'What the amount is made of.' }),
    createdAt,
  })
  .openapi('BillingRecord', { description: 'What a subscription was billed.' });
export type BillingRecord = Shape<typeof billingRecord>;

export const subscriptionPage = pageOf('Subscription', subscription);
export const billingRecordPage = pageOf('BillingRecord', billingRecord);
