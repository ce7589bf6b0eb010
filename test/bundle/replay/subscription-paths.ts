/** Every path that a subscription and its test clock can take. */
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, type Shop } from '../../shop.js';
import { advance, clockAt, command, subscribe } from '../../stack/subscriptions/subscriber.js';
import { recordedLimit } from './limit-paths.js';
import type { Outside, Path } from './path.js';

const begins = '2027-01-01T00:00:00Z';
const daily = { amount: 100, currency: 'USD', interval: 'day' } as const;

/** A subscription on a test clock, driven and then cancelled, so that its history ends. */
const clocked =
  (
    drive: (shop: Shop, id: string, to: (instant: string) => Promise<void>, outside: Outside) => Promise<unknown>,
    request: object = {},
  ) =>
  async (shop: Shop, outside: Outside): Promise<string> => {
    const clock = await clockAt(shop, begins);
    const { body } = await subscribe(shop, { testClock: clock, ...request });
    const id: string = body.id ?? body.subscriptionId;
    await drive(shop, id, (instant) => advance(shop, clock, instant), outside);
    await command(shop, id, 'cancel', {});
    await untilCancelled(shop, id);
    return `subscription/${id}`;
  };

async function untilCancelled(shop: Shop, id: string): Promise<void> {
  await eventually(`${id} to be cancelled`, async () => {
    const { body } = await shop.get(`/api/subscriptions/${id}`);
    return body.status === 'cancelled';
  });
}

const card = (shop: Shop, id: string, cardToken: string, backupCardToken?: string) =>
  command(shop, id, 'payment-method', { cardToken, ...(backupCardToken !== undefined && { backupCardToken }) });

export const subscriptionPaths: readonly Path[] = [
  { name: 'subscription-renewed', walk: clocked((_shop, _id, to) => to('2027-04-01T00:00:00Z')) },
  { name: 'subscription-refused', walk: clocked(async () => undefined, { cardToken: 'tok_declined' }) },
  {
    name: 'subscription-scheduled-then-started',
    walk: clocked((_shop, _id, to) => to('2027-01-06T00:00:00Z'), { startAt: '2027-01-05T00:00:00Z' }),
  },
  {
    name: 'subscription-past-due-then-unpaid-then-paid',
    walk: clocked(async (shop, id, to) => {
      await card(shop, id, 'tok_declined');
      await to('2027-02-02T00:00:00Z');
      await card(shop, id, 'tok_visa');
    }),
  },
  {
    name: 'subscription-paid-by-backup',
    walk: clocked(async (shop, id, to) => {
      await card(shop, id, 'tok_auth_timeout_5', 'tok_visa');
      await to('2027-02-01T00:00:00Z');
    }),
  },
  {
    name: 'subscription-processor-flaky',
    walk: clocked(async (shop, id, to) => {
      await card(shop, id, 'tok_capture_lost_1');
      await to('2027-02-01T00:00:00Z');
    }),
  },
  {
    name: 'subscription-changed',
    walk: clocked(async (shop, id) => {
      await command(shop, id, 'change', { plan: { amount: 3000, currency: 'USD', interval: 'month' } });
      await command(shop, id, 'change', { plan: { amount: 500, currency: 'USD', interval: 'month' } });
      await command(shop, id, 'change', { plan: { amount: 9000, currency: 'USD', interval: 'year' } });
      await card(shop, id, 'tok_declined');
      await command(shop, id, 'change', { plan: { amount: 90_000, currency: 'USD', interval: 'year' } });
    }),
  },
  {
    name: 'subscription-paused-and-resumed',
    walk: clocked(async (shop, id, to) => {
      await command(shop, id, 'pause');
      await to('2027-03-05T00:00:00Z');
      await command(shop, id, 'resume');
    }),
  },
  {
    name: 'subscription-cancelled-at-period-end',
    walk: clocked(async (shop, id, to) => {
      await command(shop, id, 'cancel', { atPeriodEnd: true });
      await to('2027-02-01T00:00:00Z');
    }),
  },
  {
    name: 'subscription-cancelled-during-a-charge',
    walk: clocked(async (shop, id) => {
      await command(shop, id, 'pause');
      await card(shop, id, 'tok_slow_700');
      const resuming = command(shop, id, 'resume');
      await command(shop, id, 'cancel');
      await resuming;
    }),
  },
  {
    name: 'subscription-paused-during-a-renewal',
    walk: clocked(async (shop, id, to) => {
      await card(shop, id, 'tok_slow_700');
      const moving = to('2027-02-01T00:00:00Z');
      await sleep(400);
      await command(shop, id, 'pause');
      await moving;
    }),
  },
  {
    name: 'subscription-limited',
    walk: clocked(async () => undefined, { plan: { ...daily, amount: recordedLimit + 1 } }),
  },
  {
    name: 'subscription-without-a-lost-card',
    walk: clocked(async (shop, id, to) => {
      await card(shop, id, 'tok_lost_card', 'tok_visa');
      await to('2027-03-01T00:00:00Z');
    }),
  },
  {
    name: 'subscription-signals-good-and-bad',
    walk: clocked(async (_shop, id, to, { signal }) => {
      await signal(`subscription/${id}`, 'cancel', { atPeriodEnd: 'perhaps' });
      await signal(`subscription/${id}`, 'pause');
      await to('2027-02-01T00:00:00Z');
      await signal(`subscription/${id}`, 'resume');
    }),
  },
  {
    name: 'subscription-workflow-cancelled',
    walk: clocked((shop, id, _to, { cancel }) => cancel(`subscription/${id}`).then(() => untilCancelled(shop, id))),
  },
  {
    name: 'subscription-in-a-new-run',
    walk: clocked((_shop, _id, to) => to('2027-06-20T00:00:00Z'), { plan: daily }),
  },
  {
    name: 'subscription-on-the-real-clock',
    walk: async (shop) => {
      const { body } = await subscribe(shop);
      await command(shop, body.id, 'pause');
      await command(shop, body.id, 'cancel');
      await untilCancelled(shop, body.id);
      return `subscription/${body.id}`;
    },
  },
  {
    name: 'test-clock-advanced',
    walk: async (shop) => {
      const clock = await clockAt(shop, begins);
      await subscribe(shop, { testClock: clock });
      await advance(shop, clock, '2027-03-01T00:00:00Z');
      return `test-clock/${clock}`;
    },
  },
];
