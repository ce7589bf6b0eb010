import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeCursor, encodeCursor, pageOf } from './page.js';

test('a cursor comes back as it was, in both of the forms in which times are told', () => {
  const at = fc
    .date({ min: new Date('1970-01-01'), max: new Date('2999-12-31'), noInvalidDate: true })
    .map((date) => date.toISOString());
  const cursor = fc.record({ at, id: fc.string({ maxLength: 60 }).filter((id) => !id.includes('\0')) });
  fc.assert(
    fc.property(cursor, (each) => {
      expect(decodeCursor(encodeCursor(each))).toEqual(each);
    }),
  );
  const fromPostgres = { at: '2026-11-21 05:41:07.123456+00', id: 'ord_1' };
  expect(decodeCursor(encodeCursor(fromPostgres))).toEqual(fromPostgres);
});

test('what is not a cursor, or names a time that Postgres could not read, is none', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(decodeCursor(text)).toBeNull();
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
  for (const each of forged)
    expect(decodeCursor(Buffer.from(JSON.stringify(each)).toString('base64url')), JSON.stringify(each)).toBeNull();
});

test('a page ends where the next begins, and the last one says so', () => {
  const rows = ['c', 'b', 'a'].map((id) => ({ id, at: '2026-01-01T00:00:00Z' }));
  const page = (limit: number) => pageOf(rows, limit, (row) => row);
  expect(page(2).items).toEqual(rows.slice(0, 2));
  expect(decodeCursor(page(2).nextCursor ?? '')).toEqual({ at: '2026-01-01T00:00:00Z', id: 'b' });
  expect(page(3)).toEqual({ items: rows, nextCursor: null });
  expect(pageOf([], 3, () => ({ at: '', id: '' }))).toEqual({ items: [], nextCursor: null });
});
