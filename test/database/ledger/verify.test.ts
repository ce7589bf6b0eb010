import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LedgerDifference } from '../../../domain/stock.js';
import { Books, verify } from '../books.js';

let books: Books;
beforeAll(async () => {
  books = await Books.open();
});
afterAll(() => books.close());

/** The result of verify for a product whose books were changed behind the ledger's back. Rolls the change back. */
async function afterFalsifying(sku: string, statement: string, rows?: number): Promise<readonly LedgerDifference[]> {
  const connection = await books.sql.reserve();
  try {
    await connection`begin`;
    // Switches off the triggers that would refuse the change, to show that verify finds it.
    await connection`set local session_replication_role = replica`;
    await connection.unsafe(statement, [sku]);
    return (await verify(connection, rows)).filter((difference) => difference.sku === sku);
  } finally {
    await connection`rollback`;
    connection.release();
  }
}

test('books kept by the ledger agree', async () => {
  const sku = await books.newSku(10);
  await books.hold(sku, 3);
  const cancelled = await books.hold(sku, 2);
  await books.do({ kind: 'cancel', reservationId: cancelled, quantity: 1 });
  expect(await books.differences(sku)).toEqual([]);
});

test('a level changed by hand is found with the difference', async () => {
  const sku = await books.newSku(10);
  expect(await afterFalsifying(sku, 'update stock_levels set on_hand = 11 where sku = $1')).toEqual([
    { sku, location: 'main', what: 'onHand', expected: 10, found: 11 },
  ]);
  expect(await books.differences(sku)).toEqual([]);
});

test('changed and deleted ledger rows are found', async () => {
  const sku = await books.newSku(10);
  for (const quantity of [1, 2, 3]) await books.do({ kind: 'consume', sku, location: 'main', quantity });
  const middle = `(select id from stock_ledger where sku = $1 and on_hand_delta = -2)`;
  const changed = await afterFalsifying(sku, `update stock_ledger set on_hand_delta = -1 where id = ${middle}`);
  expect(changed).toContainEqual({ sku, location: 'main', what: 'onHand', expected: 5, found: 4 });
  expect(changed.filter((difference) => difference.what.startsWith('onHandAfter mov_'))).toMatchObject([
    { expected: 8, found: 7 },
  ]);
  const missing = await afterFalsifying(sku, `delete from stock_ledger where id = ${middle}`);
  expect(missing.map((difference) => [difference.what.split(' ')[0], difference.expected, difference.found])).toEqual([
    ['onHand', 6, 4],
    ['onHandAfter', 6, 4],
  ]);
});

test('a hold that vanished or disagrees with the ledger is found', async () => {
  const sku = await books.newSku(10);
  const id = await books.hold(sku, 3);
  const openAndHold = (found: number) => [
    { sku, location: 'main', what: `hold ${id}`, expected: 3, found },
    { sku, location: 'main', what: 'openReservations', expected: 3, found },
  ];
  const byName = (a: LedgerDifference, b: LedgerDifference) => (a.what < b.what ? -1 : 1);
  const changed = await afterFalsifying(sku, 'update reservations set quantity = 2 where sku = $1');
  expect([...changed].sort(byName)).toEqual(openAndHold(2));
  const count = { sku, location: 'main', what: 'openReservationCount', expected: 0, found: 1 };
  const vanished = await afterFalsifying(sku, 'delete from reservations where sku = $1');
  expect([...vanished].sort(byName)).toEqual([...openAndHold(0), count].sort(byName));
  const confirmed = await afterFalsifying(sku, `update reservations set status = 'confirmed' where sku = $1`);
  expect([...confirmed].sort(byName)).toEqual([...openAndHold(0), count].sort(byName));
});

test('a count of open holds that was changed is found', async () => {
  const sku = await books.newSku(10);
  await books.hold(sku, 3);
  expect(await afterFalsifying(sku, 'update stock_levels set open_holds = 3 where sku = $1')).toEqual([
    { sku, location: 'main', what: 'openReservationCount', expected: 1, found: 3 },
  ]);
});

test('verification finds the same in chunks of any size, even if a level is longer than a chunk', async () => {
  const sku = await books.newSku(10);
  for (const quantity of [1, 2, 1]) await books.do({ kind: 'consume', sku, location: 'main', quantity });
  await books.hold(sku, 2);
  const decided = await books.hold(sku, 1);
  await books.do({ kind: 'confirm', reservationId: decided });
  const falsified = `with level as (update stock_levels set on_hand = on_hand + 1, reserved = reserved - 1, open_holds = 7 where sku = $1 returning sku),
                          hold as (update reservations set quantity = 1 where sku in (select sku from level) and status = 'pending')
                     update stock_ledger set on_hand_delta = -3 where sku in (select sku from level) and on_hand_delta = -2`;
  const whole = await afterFalsifying(sku, falsified);
  expect(whole.map(({ what }) => what.split(' ')[0]).sort()).toEqual([
    'hold',
    'onHand',
    'onHandAfter',
    'openReservationCount',
    'openReservations',
    'reserved',
  ]);
  const one = (differences: readonly LedgerDifference[]) => differences.map((each) => JSON.stringify(each)).sort();
  for (const rows of [5, 100]) expect(one(await afterFalsifying(sku, falsified, rows))).toEqual(one(whole));
});
