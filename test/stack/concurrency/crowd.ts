/** Many buyers at once. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { type Answer, eventually, holdings, type Shop } from '../../shop.js';

/**
 * Makes `count` calls with a limited number in flight: a thousand sockets would test the machine, not the shop. A call
 * refused in overload is retried when its answer says.
 */
export async function crowd(
  count: number,
  atOnce: number,
  call: (index: number) => Promise<Answer>,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let index = next++; index < count; index = next++) {
        let answer = await call(index);
        for (; answer.status === 503; answer = await call(index))
          await sleep(Number(answer.headers.get('retry-after')) * 1000);
        answers.push(answer);
      }
    }),
  );
  return answers;
}

/**
 * Ten times as many buyers as there are units, one unit each. Exactly the units are sold, each is paid once, and everybody else
 * is refused.
 * @param through the API process of a buyer
 */
export async function exactlyAllSold(units: number, through: (index: number) => Shop): Promise<void> {
  const shop = through(0);
  const sku = await shop.product(units);
  const answers = await crowd(10 * units, 64, (index) =>
    through(index).order({ lines: [{ sku, quantity: 1 }], confirm: true, payment: { cardToken: 'tok_visa' } }),
  );
  const by = (status: number) => answers.filter((answer) => answer.status === status);
  // A slow machine answers 202 and continues, so wait for those orders.
  for (const answer of by(202))
    await eventually('the order to be decided', async () =>
      ['confirmed', 'failed'].includes(await shop.statusOf(answer.body.id)),
    );
  const late = await Promise.all(by(202).map(({ body }) => shop.statusOf(body.id)));
  const sold = by(201).length + late.filter((status) => status === 'confirmed').length;
  const refused =
    by(409).filter(({ body }) => body.code === 'insufficient_stock').length +
    late.filter((status) => status === 'failed').length;
  expect([sold, refused]).toEqual([units, 9 * units]);
  expect(await shop.stock(sku)).toEqual({ onHand: 0, reserved: 0, available: 0 });
  const paid = await Promise.all(by(201).map(({ body }) => shop.books(body.id)));
  for (const books of paid) expect(holdings(books)).toEqual({ open: 0, net: 1000 });
  expect(await shop.verified()).toEqual({ clean: true, differences: [] });
}
