import { describe, expect, test } from 'vitest';
import { answered, holdfast } from '../holdfast.fixture.js';

const [start, end] = ['2026-12-01T00:00:00.000000Z', '2027-01-01T00:00:00.000000Z'];
const found = {
  ...{ id: 'sub_1', status: 'active', customerId: 'cus_1', plan: { amount: 1000, currency: 'USD', interval: 'month' } },
  ...{ currentPeriod: { start, end }, anchor: start, cancelAtPeriodEnd: false, creditBalance: 0, testClock: null },
  ...{ failure: null, createdAt: start },
};
const plan = ['--plan', '10.00 USD/month'];

describe('holdfast subscription', () => {
  test('starts one, once for one key', async () => {
    const all = ['--backup-card', 'tok_b', '--email', 'ada@example.com', '--start-at', start, '--anchor-day', '31'];
    const args = ['--customer', 'cus_1', ...plan, '--card', 'tok_visa', ...all, '--clock', 'clk_1'];
    const options = ['--idempotency-key', 'k-1', '--wait', '5'];
    const ran = await holdfast(['subscription', 'create', ...args, ...options], answered(201, found));
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.sent).toMatchObject([
      {
        ...{ method: 'POST', path: '/api/subscriptions', headers: { 'idempotency-key': 'k-1', prefer: 'wait=5' } },
        body: {
          ...{ customerId: 'cus_1', plan: found.plan, cardToken: 'tok_visa', backupCardToken: 'tok_b' },
          ...{ email: 'ada@example.com', startAt: start, anchorDay: 31, testClock: 'clk_1' },
        },
      },
    ]);
    expect(ran.out).toMatch(/^plan +10\.00 USD\/month\nperiod +2026-12-01 00:00:00Z to 2027-01-01 00:00:00Z\n/m);
  });

  test.each([
    ['change', ['--plan', '20 EUR/year'], { plan: { amount: 2000, currency: 'EUR', interval: 'year' } }],
    ['cancel', [], {}],
    ['cancel', ['--at-period-end'], { atPeriodEnd: true }],
    ['pause', [], {}],
    ['resume', [], {}],
    ['payment-method', ['--card', 'tok_b', '--backup-card', 'tok_c'], { cardToken: 'tok_b', backupCardToken: 'tok_c' }],
  ])('%s %j sends its command', async (command, options, body) => {
    const proration = { credit: 500, charge: 250, net: -250, from: start, to: end };
    const ran = await holdfast(
      ['subscription', command, 'sub_1/..', ...options],
      answered(200, { ...found, proration }),
    );
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.sent).toMatchObject([{ method: 'POST', path: `/api/subscriptions/sub_1%2F../${command}`, body }]);
    const kept = /^difference +2\.50 USD kept as credit$/m;
    if (command === 'change') expect(ran.out).toMatch(kept);
    else expect(ran.out).not.toMatch(kept);
  });

  test('lists those of a customer or a status, and the records of one', async () => {
    const page = (item: object) => answered(200, { items: [item], nextCursor: 'd' });
    const filters = ['--customer', 'cus_1', '--status', 'active', '--limit', '1'];
    const listed = await holdfast(['subscription', 'list', ...filters], page(found));
    expect(listed.sent).toMatchObject([{ path: '/api/subscriptions?customerId=cus_1&status=active&limit=1' }]);
    expect(listed.out).toContain('sub_1         active  cus_1     10.00 USD/month  2027-01-01 00:00:00Z');
    const record = {
      ...{ id: 'bil_1', kind: 'proration', period: { start, end }, amount: -250, credit: -250, charged: 0 },
      ...{ paymentId: null, status: 'paid', attempts: 0, lines: [], createdAt: start },
    };
    const records = await holdfast(['subscription', 'records', 'sub_1', '--limit', '1'], page(record));
    expect(records.sent).toMatchObject([{ path: '/api/subscriptions/sub_1/billing-records?limit=1' }]);
    expect(records.out).toMatch(/^bil_1 +proration +paid .* -250 +-250 +0 +0 +-\nmore: --cursor d\n/m);
  });

  test('that is refused says why and names the subscription, and exits 1', async () => {
    const refused = { code: 'payment_declined', detail: 'the card was declined', subscriptionId: 'sub_1' };
    const args = ['subscription', 'create', '--customer', 'cus_1', ...plan, '--card', 'tok_declined'];
    const err = 'payment_declined: the card was declined\n  subscription sub_1\n';
    expect(await holdfast(args, answered(402, refused))).toMatchObject({ code: 1, out: '', err });
  });

  test.each([
    ['without a card', ['create', '--customer', 'cus_1', ...plan]],
    ['with a plan without its interval', ['change', 'sub_1', '--plan', '10.00 USD']],
    ['with a plan by the hour', ['change', 'sub_1', '--plan', '10.00 USD/hour']],
    ['with a plan of half a cent', ['change', 'sub_1', '--plan', '10.005 USD/month']],
    ['on day 32', ['create', '--customer', 'c', ...plan, '--card', 'tok_visa', '--anchor-day', '32']],
    ['of an unknown status', ['list', '--status', 'lost']],
    ['of two', ['pause', 'sub_1', 'sub_2']],
  ])('%s is wrong usage: exit 2, and nothing is sent', async (_what, args) => {
    const ran = await holdfast(['subscription', ...args], answered(200, found));
    expect([ran.code, ran.sent, ran.out]).toEqual([2, [], '']);
  });
});

test('holdfast test-clock makes, shows and advances a clock', async () => {
  const clock = answered(200, { id: 'clk_1', now: start, status: 'ready' });
  const made = await holdfast(['test-clock', 'create', '--now', start], clock);
  const advanced = await holdfast(['test-clock', 'advance', 'clk_1', '--to', end, '--wait', '30'], clock);
  const shown = await holdfast(['test-clock', 'show', 'clk_1'], clock);
  expect([...made.sent, ...advanced.sent, ...shown.sent]).toMatchObject([
    { method: 'POST', path: '/api/test-clocks', body: { now: start } },
    { method: 'POST', path: '/api/test-clocks/clk_1/advance', body: { to: end }, headers: { prefer: 'wait=30' } },
    { method: 'GET', path: '/api/test-clocks/clk_1' },
  ]);
  expect(shown.out).toBe('test clock  clk_1\nnow         2026-12-01 00:00:00Z\nstatus      ready\n');
});
