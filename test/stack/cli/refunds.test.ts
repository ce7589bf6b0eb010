import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import { atProcessor, sold } from '../refunds/sale.js';
import { field, holdfast } from './holdfast.js';

const shop = sharedShop();

describe('holdfast refund', () => {
  test('returns units of an order once for one key, and the rest of its payment, until nothing is left', async () => {
    const { sku, orderId, paymentId } = await sold(shop);
    const key = ['--idempotency-key', randomUUID()];
    const args = ['refund', orderId, '--line', `${sku}:1`, '--restock', '--reason', 'torn', '--wait', '30', ...key];
    const made = await holdfast(args);
    expect(made).toMatchObject({ code: 0, err: '' });
    const shown = ['status', 'amount', 'order', 'payment', 'units', 'restocked', 'reason'];
    expect(shown.map((name) => field(made.out, name))).toEqual([
      ...['succeeded', '10.00 USD', orderId, paymentId, `1 of ${sku}`, 'yes', 'torn'],
    ]);
    expect((await holdfast(args)).out).toBe(made.out);
    const rest = await holdfast(['refund', paymentId ?? '', '--wait', '30']);
    expect([rest.code, field(rest.out, 'amount')]).toEqual([0, '20.00 USD']);
    const over = await holdfast(['refund', orderId, '--wait', '30']);
    expect(over).toMatchObject({ code: 1, out: '', err: expect.stringContaining(`\n  order ${orderId}\n`) });
    expect(over.err).toMatch(/^over_refund: only 0 minor units can be refunded\n/);
    expect((await atProcessor(shop, orderId)).refunded).toBe(3000);
    expect(await shop.stock(sku)).toMatchObject({ onHand: 8 });

    const listed = await holdfast(['refunds', 'list', '--order', orderId, '--status', 'succeeded']);
    const ids = [rest, made].map(({ out }) => field(out, 'refund'));
    expect(
      listed.out
        .split('\n')
        .slice(1, -1)
        .map((line) => line.split(' ')[0]),
    ).toEqual(ids);
    expect((await holdfast(['refunds', 'show', ids[1] ?? ''])).out).toBe(made.out);
  });

  test('that the processor could not make shows why, and exits 1', async () => {
    const { orderId } = await sold(shop, 'tok_refund_fails');
    const failed = await holdfast(['refund', orderId, '--wait', '30']);
    expect([failed.code, field(failed.out, 'status')]).toEqual([1, 'failed']);
    expect(field(failed.out, 'failure')).toMatch(/^expired_or_canceled_card: /);
  });
});
