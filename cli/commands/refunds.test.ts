import { describe, expect, test } from 'vitest';
import { answered, holdfast } from '../holdfast.fixture.js';

const made = {
  ...{ id: 'rfd_1', orderId: 'ord_1', paymentId: 'pay_1', amount: 1000, currency: 'USD', status: 'succeeded' },
  ...{ lines: [{ sku: 'MUG', quantity: 1 }], restocked: true, reason: 'torn', providerReference: 're_1' },
  ...{ failure: null, createdAt: '2026-11-21T05:41:07.123456Z' },
};
const refused = { code: 'over_refund', detail: 'only 40 can be refunded', orderId: 'ord_1' };

describe('holdfast refund', () => {
  test('refunds units of an order once, however often the command is repeated with its key', async () => {
    const units = ['--line', 'MUG:1', '--line', 'PEN:2', '--charges', '--restock', '--reason', 'torn'];
    const options = ['--idempotency-key', 'k-1', '--wait', '5'];
    const ran = await holdfast(['refund', 'ord_1', ...units, ...options], answered(201, made));
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.sent).toMatchObject([
      {
        ...{ method: 'POST', path: '/api/orders/ord_1/refunds' },
        body: {
          lines: [
            { sku: 'MUG', quantity: 1 },
            { sku: 'PEN', quantity: 2 },
          ],
          ...{ charges: true, restock: true, reason: 'torn' },
        },
        headers: { 'idempotency-key': 'k-1', prefer: 'wait=5' },
      },
    ]);
    expect(ran.out).toMatch(/^status +succeeded\namount +10\.00 USD\n/m);
    expect(ran.out).toMatch(/^units +1 of MUG\nrestocked +yes\n/m);
  });

  test('refunds all that is left of a payment, or an amount of it', async () => {
    const all = await holdfast(['refund', 'pay_1'], answered(202, { ...made, status: 'pending', orderId: null }));
    const some = await holdfast(['refund', 'pay_1', '--amount', '500'], answered(201, made));
    const reason = 'refunded on the command line';
    expect([...all.sent, ...some.sent]).toMatchObject([
      { path: '/api/payments/pay_1/refunds', body: { reason } },
      { path: '/api/payments/pay_1/refunds', body: { reason, amount: 500 } },
    ]);
    expect([all.code, all.out]).toEqual([0, expect.stringMatching(/^status +pending$/m)]);
  });

  test('that is refused says why on stderr, and exits 1', async () => {
    const ran = await holdfast(['refund', 'ord_1', '--amount', '41'], answered(409, refused));
    expect(ran).toMatchObject({ code: 1, out: '', err: 'over_refund: only 40 can be refunded\n  order ord_1\n' });
  });

  test('that the processor could not make exits 1', async () => {
    const failure = { code: 'expired_or_canceled_card', detail: 'the card has expired' };
    const ran = await holdfast(['refund', 'ord_1'], answered(201, { ...made, status: 'failed', failure }));
    expect(ran.code).toBe(1);
    expect(ran.out).toMatch(/^failure +expired_or_canceled_card: the card has expired$/m);
  });

  test.each([
    ['without an order or a payment', []],
    ['of nothing', ['ord_1', '--amount', '0']],
    ['of a negative amount', ['ord_1', '--amount=-5']],
    ['of half a cent', ['ord_1', '--amount', '1.5']],
    ['of an amount with its currency', ['ord_1', '--amount', '5 USD']],
    ['of more than any order costs', ['ord_1', '--amount', '100000000']],
    ['of a line without its units', ['ord_1', '--line', 'MUG']],
    ['of no units', ['ord_1', '--line', 'MUG:0']],
    ['of units at a location', ['ord_1', '--line', 'MUG:1@main']],
    ['of units with a price', ['ord_1', '--line', 'MUG:1,price=1 USD']],
    ['of two orders', ['ord_1', 'ord_2']],
    ['that waits for a minute', ['ord_1', '--wait', '60']],
    ['with an unknown option', ['ord_1', '--hurry']],
  ])('%s is wrong usage: exit 2, and nothing is sent', async (_what, args) => {
    const ran = await holdfast(['refund', ...args], answered(201, made));
    expect([ran.code, ran.sent, ran.out]).toEqual([2, [], '']);
    expect(ran.err).not.toBe('');
  });
});

describe('holdfast refunds', () => {
  test('lists those of an order, a payment or a status, and says how to see more', async () => {
    const filters = ['--order', 'ord_1', '--payment', 'pay_1', '--status', 'failed', '--limit', '1', '--cursor', 'c'];
    const ran = await holdfast(['refunds', 'list', ...filters], answered(200, { items: [made], nextCursor: 'd' }));
    const query = 'status=failed&orderId=ord_1&paymentId=pay_1&limit=1&cursor=c';
    expect(ran.sent).toMatchObject([{ method: 'GET', path: `/api/refunds?${query}` }]);
    expect(ran.out).toContain('rfd_1   succeeded  10.00 USD  ord_1  pay_1    2026-11-21 05:41:07Z\nmore: --cursor d\n');
  });

  test('of a status that no refund has is wrong usage', async () => {
    const ran = await holdfast(['refunds', 'list', '--status', 'lost'], answered(200, { items: [], nextCursor: null }));
    expect([ran.code, ran.sent]).toEqual([2, []]);
  });

  test('shows one, without letting its texts control the terminal', async () => {
    const ran = await holdfast(['refunds', 'show', 'rfd_1/..'], answered(200, { ...made, reason: '\u001b[2Jtorn' }));
    expect(ran.sent).toMatchObject([{ method: 'GET', path: '/api/refunds/rfd_1%2F..' }]);
    expect(ran.out).toMatch(/^reason +\u{fffd}\[2Jtorn$/mu);
  });
});
