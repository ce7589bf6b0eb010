import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTransferStore, type TransferStore } from '../../../db/transfers/store.js';
import { transferTransitions } from '../../../domain/transfers/states.js';
import { Books, otherLocation } from '../books.js';

let books: Books;
let stores: readonly [TransferStore, TransferStore];
beforeAll(async () => {
  books = await Books.open();
  stores = [createTransferStore(books.sql), createTransferStore(books.another().sql)];
});
afterAll(() => books.close());

/** On hand and held at each location that has had stock. */
async function whereabouts(sku: string): Promise<Record<string, number>> {
  const levels = await books.levels(sku);
  return {
    ...Object.fromEntries(levels.map(({ location, onHand }) => [location, onHand])),
    held: levels.reduce((sum, { reserved }) => sum + reserved, 0),
  };
}

/** A transfer without a workflow. */
async function held(quantity = 2, stock = 5) {
  const [sku, from, to] = [await books.newSku(stock), 'main', otherLocation];
  const transferId = `trf_${randomUUID().replaceAll('-', '')}`;
  const reservationId = `rsv_${randomUUID().replaceAll('-', '')}`;
  const step = (name: string) => ({ key: `${transferId}/${name}`, transferId, actor: 'test', traceId: '' });
  const facts = { workflowId: `transfer/${transferId}`, sku, quantity, from, to, reservationId } as const;
  const open = { ...step('open'), ...facts, step: 'open', mode: 'shipped' } as const;
  const opened = await stores[0].apply(open);
  return { sku, to, transferId, reservationId, step, open, opened };
}

describe('a step of a transfer', () => {
  test('repeated by two processes and many times at once is done once and always answered alike', async () => {
    const { sku, to, step, open, opened } = await held();
    expect(opened).toMatchObject({ outcome: 'done', state: { status: 'reserved' } });
    expect(await stores[1].apply(open)).toEqual(opened);
    const move = { ...step('move'), step: 'move' } as const;
    const results = await Promise.all(Array.from({ length: 20 }, (_, index) => stores[index % 2 ? 1 : 0].apply(move)));
    for (const result of results)
      expect(result).toEqual({
        outcome: 'done',
        state: { status: 'completed', received: 2 },
        transitions: [{ from: 'reserved', to: 'completed' }],
      });
    expect(await whereabouts(sku)).toEqual({ main: 3, [to]: 2, held: 0 });
  });

  test('that runs concurrently with another sees the state that the other left', async () => {
    const { sku, step } = await held();
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        stores[index % 2 ? 1 : 0].apply({ ...step(`ship/${index}`), step: 'ship' }),
      ),
    );
    expect(results.filter(({ outcome }) => outcome === 'done')).toHaveLength(1);
    for (const result of results)
      if (result.outcome === 'refused')
        expect(result.refusal).toMatchObject({
          code: 'invalid_state',
          extensions: { from: 'in_transit', to: 'in_transit' },
        });
    expect(await whereabouts(sku)).toEqual({ main: 3, transit: 2, held: 0 });
  });

  test('of a transfer that does not exist is refused', async () => {
    const { step } = await held();
    const result = await stores[0].apply({ ...step('move'), transferId: 'trf_none', key: randomUUID(), step: 'move' });
    expect(result).toMatchObject({ outcome: 'refused', state: null, refusal: { code: 'not_found' } });
  });

  test('checks again what the API has checked: an impossible transfer leaves no row', async () => {
    const { open } = await held();
    const wrong = { same_location: { to: 'main' }, unknown_sku: { sku: 'none' }, unknown_location: { to: 'transit' } };
    for (const [code, change] of Object.entries(wrong)) {
      const transferId = `trf_${randomUUID()}`;
      const step = { ...open, ...change, transferId, key: transferId } as const;
      for (const store of stores)
        expect(await store.apply(step)).toMatchObject({ outcome: 'refused', state: null, refusal: { code } });
      expect(await books.sql`select from transfers where id = ${transferId}`).toHaveLength(0);
    }
  });
});

describe('the transitions of a transfer', () => {
  test('are the same in the database as in the rules', async () => {
    const rows = await books.sql<{ from: string; to: string }[]>`
      select from_status as "from", to_status as "to" from transfer_transitions`;
    const ways = Object.entries(transferTransitions).flatMap(([from, all]) => all.map((to) => `${from} → ${to}`));
    expect(rows.map(({ from, to }) => `${from} → ${to}`).sort()).toEqual(ways.sort());
  });

  test('are the only ones that the database allows', async () => {
    const { transferId } = await held();
    await expect(books.sql`update transfers set status = 'pending' where id = ${transferId}`).rejects.toMatchObject({
      code: '23514',
    });
  });
});
