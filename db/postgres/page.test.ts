import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeCursor, encodeCursor, type ListName, pageOf } from './page.js';

test('decoding a cursor gives the encoded one, for both formats of times', () => {
  const at = fc
    .date({ min: new Date('1970-01-01'), max: new Date('2999-12-31'), noInvalidDate: true })
    .map((date) => date.toISOString());
  const cursor = fc.record({ at, id: fc.string({ maxLength: 60 }).filter((id) => !id.includes('\0')) });
  fc.assert(
    fc.property(cursor, (each) => {
      expect(decodeCursor('orders', encodeCursor('orders', each))).toEqual(each);
    }),
  );
  const fromPostgres = { at: '2026-11-21 05:41:07.123456+00', id: 'ord_1' };
  expect(decodeCursor('orders', encodeCursor('orders', fromPostgres))).toEqual(fromPostgres);
});

test('no list accepts a cursor of another list', () => {
  const cursor = { at: '2026-11-21T05:41:07.123456Z', id: 'x_1' };
  const lists: ListName[] = ['orders', 'payments', 'holds', 'timeline'];
  for (const made of lists)
    for (const asked of lists)
      expect(decodeCursor(asked, encodeCursor(made, cursor))).toEqual(made === asked ? cursor : null);
});

test('every list accepts a cursor of release 0.1, which names no list', () => {
  const text = Buffer.from(JSON.stringify(['2026-11-21 05:41:07.123456+00', 'ord_1'])).toString('base64url');
  expect(decodeCursor('orders', text)).toEqual({ at: '2026-11-21 05:41:07.123456+00', id: 'ord_1' });
});

test('a text that is no cursor, or has a time that Postgres cannot read, is rejected', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(decodeCursor('orders', text)).toBeNull();
    }),
  );
  const forged = [
    ['2026-02-30T00:00:00Z', 'x'],
    ['2026-01-01T25:00:00Z', 'x'],
    ['2026-01-01T00:00:00+23:00', 'x'],
    ['0000-01-01T00:00:00Z', 'x'],
    ['now', 'x'],
    ['2026-01-01T00:00:00Z', 'a\0b'],
    ['2026-01-01T00:00:00Z', 7],
    ['2026-01-01T00:00:00Z'],
    { at: '2026-01-01T00:00:00Z', id: 'x' },
  ];
  const named = forged.map((fields) => (Array.isArray(fields) ? ['orders', ...fields] : { list: 'orders', ...fields }));
  for (const each of [...forged, ...named]) {
    const text = Buffer.from(JSON.stringify(each)).toString('base64url');
    expect(decodeCursor('orders', text), JSON.stringify(each)).toBeNull();
  }
});

test('each page starts where the previous one ended, and the last one has no cursor', () => {
  const rows = ['c', 'b', 'a'].map((id) => ({ id, at: '2026-01-01T00:00:00Z' }));
  const page = (limit: number) => pageOf('orders', rows, limit, (row) => row);
  expect(page(2).items).toEqual(rows.slice(0, 2));
  expect(decodeCursor('orders', page(2).nextCursor ?? '')).toEqual({ at: '2026-01-01T00:00:00Z', id: 'b' });
  expect(page(3)).toEqual({ items: rows, nextCursor: null });
  expect(pageOf('orders', [], 3, () => ({ at: '', id: '' }))).toEqual({ items: [], nextCursor: null });
});
