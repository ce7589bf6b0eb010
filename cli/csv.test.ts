import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvLine, parseCsv } from './csv.js';

const cells = (text: string) => parseCsv(text)?.map((row) => row.cells);

describe('comma-separated values', () => {
  it('are read with quotes, either line end, a byte order mark and empty lines', () => {
    expect(cells('\u{feff}a,b\r\n1, 2 \n\n"x,""y""\nz",\n')).toEqual([
      ['a', 'b'],
      ['1', '2'],
      ['x,"y"\nz', ''],
    ]);
  });

  it('know the lines they stand on', () => {
    expect(parseCsv('a\n\n"b\nc"\nd')?.map(({ line }) => line)).toEqual([1, 3, 5]);
  });

  it.each(['"a', 'a,"b\nc', '"a"b'])('are refused where a quote is not closed: %j', (text) => {
    expect(parseCsv(text)).toBeNull();
  });

  it('read what they wrote', () => {
    const value = fc.string().map((text) => text.trim());
    const row = fc.array(value, { minLength: 1, maxLength: 4 }).filter((values) => values.some((text) => text !== ''));
    fc.assert(
      fc.property(fc.array(row), (rows) => {
        expect(cells(rows.map(csvLine).join(''))).toEqual(rows);
      }),
    );
  });
});
