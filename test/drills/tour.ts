/** The tour of the README, on the command line. */
import { expect } from 'vitest';
import type { OwnStack } from '../setup/own-stack.js';
import { eventually, newEmail } from '../shop.js';
import { field, holdfastAt } from '../stack/cli/holdfast.js';

export async function takeTour({ stack, shop, outside }: OwnStack): Promise<void> {
  const run = async (...args: string[]): Promise<string> => {
    const { code, out, err } = await holdfastAt(stack, args);
    if (code !== 0) throw new Error(`holdfast ${args.join(' ')} ended with ${code}: ${err}`);
    return out;
  };
  const idOf = (printed: string) => field(printed, 'order') ?? field(printed, 'refund') ?? '';
  expect(await run('stock', 'list')).toContain('mug-stoneware');

  const email = newEmail();
  const lines = ['--line', 'coffee-beans-1kg:2', '--line', 'mug-stoneware:1'];
  const created = await run('order', 'create', ...lines, '--email', email);
  expect(field(created, 'status')).toBe('reserved');
  const declined = await holdfastAt(stack, ['order', 'confirm', idOf(created), '--card', 'tok_declined']);
  expect([declined.code, declined.err]).toEqual([
    1,
    expect.stringContaining('payment_declined: the card was declined'),
  ]);
  const confirmed = await run('order', 'confirm', idOf(created), '--card', 'tok_visa');
  expect([field(confirmed, 'status'), field(confirmed, 'payment')]).toEqual([
    'confirmed',
    expect.stringContaining('captured 63.80 USD with the primary card'),
  ]);
  await eventually('the receipt', async () => (await shop.mailTo(email)).length > 0);
  expect(await shop.path(idOf(created))).toEqual([
    ...['pending', 'reserved', 'confirming', 'reserved', 'confirming', 'confirmed'],
  ]);

  const money = ['--line', 'mug-stoneware:3,discount=2.00', '--charge', 'shipping:Post:4.90'];
  const sold = idOf(await run('order', 'create', ...money, '--card', 'tok_visa', '--confirm'));
  const onHand = (await shop.stock('mug-stoneware')).onHand;
  const part = await run('refund', sold, '--line', 'mug-stoneware:1', '--restock', '--reason', 'one mug was broken');
  expect([field(part, 'status'), field(part, 'amount')]).toEqual(['succeeded', '13.34 USD']);
  expect((await shop.stock('mug-stoneware')).onHand).toBe(onHand + 1);
  const rest = await run('refund', sold, '--reason', 'the rest');
  expect([field(rest, 'status'), field(rest, 'amount')]).toEqual(['succeeded', '31.56 USD']);
  expect(await shop.books(sold)).toMatchObject([{ captured: 4490, refunded: 4490 }]);

  const cancelled = idOf(await run('order', 'create', '--line', 'hand-grinder:1'));
  await outside.signal(cancelled, 'cancel', { reason: 'the customer called' });
  await eventually('the order to be cancelled', async () => (await shop.statusOf(cancelled)) === 'cancelled');

  const slow = ['--card', 'tok_slow_1500', '--confirm', '--wait', '0'];
  const interrupted = idOf(await run('order', 'create', '--line', 'kettle-gooseneck:1', ...slow));
  await stack.waitRestarted('worker', await stack.kill('worker'));
  await eventually('the order to be confirmed', async () => (await shop.statusOf(interrupted)) === 'confirmed');
  expect(await shop.books(interrupted)).toMatchObject([{ status: 'captured', captured: 6450, refunded: 0 }]);
  expect(await run('verify')).toContain('clean');
}
