import { afterAll, describe, expect, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import { Clocked } from './clocked.js';

const shop = sharedShop();
const clocked = new Clocked();
afterAll(() => clocked.close());

describe('a subscription on a test clock', () => {
  test('is charged once a month from its anchor, for two years', async () => {
    await clocked.begin('2027-01-31T10:00:00Z');
    const { id, answer } = await clocked.subscribe();
    expect(answer).toMatchObject({ kind: 'done', status: 'active' });
    expect(await clocked.advance('2029-01-01T00:00:00Z')).toEqual({ kind: 'done', status: 'ready' });
    const records = await clocked.records(id);
    expect(records).toHaveLength(24);
    expect(records.every(({ status, charged }) => status === 'paid' && charged === 1000)).toBe(true);
    expect(records.slice(0, 3).map(({ start }) => start)).toEqual([
      '2027-01-31 10:00:00',
      '2027-02-28 10:00:00',
      '2027-03-31 10:00:00',
    ]);
    for (const [index, { end }] of records.slice(0, -1).entries()) expect(records[index + 1]?.start).toBe(end);
    const books = await Promise.all(records.map(({ paymentId }) => shop.books(paymentId ?? '')));
    expect(books.flat().map(({ status }) => status)).toEqual(records.map(() => 'captured'));
  });
});
