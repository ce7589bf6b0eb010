import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CsvRow, csvLine, parseCsv } from './csv.js';

const limits = { rows: 1000, cellsPerRow: 10 };

function rows(text: string): readonly CsvRow[] {
  const csv = parseCsv(text, limits);
  if (csv.kind === 'wrong') throw new Error(csv.problem);
  return csv.rows;
}
const cells = (text: string) => rows(text).map((row) => row.cells);

describe('CSV rows', () => {
  it('are read with quotes, every line end, a byte order mark and empty lines', () => {
    for (const end of ['\n', '\r\n', '\r'])
      expect(cells(`\u{feff}a,b${end}1, 2 ${end}${end}"x,""y""${end}z",${end}`)).toEqual([
        ['a', 'b'],
        ['1', '2'],
        [`x,"y"${end}z`, ''],
      ]);
  });

  it.each(['\n', '\r\n', '\r'])('know their line numbers, with %j as the line end', (end) => {
    expect(rows(['a', '', '"b', 'c"', 'd'].join(end)).map(({ line }) => line)).toEqual([1, 3, 5]);
  });

  it.each([
    ['"a', 1, 'a quote is not closed'],
    ['a,b\n1,"b\nc', 2, 'a quote is not closed'],
    ['a\r"a"b', 2, 'a quote inside'],
    ['a\nb,c"d"', 2, 'a quote inside'],
    ['"a\nb"c', 2, 'a quote inside'],
  ])('with a misplaced quote are refused with the line and the reason: %j', (text, line, problem) => {
    expect(parseCsv(text, limits)).toEqual({ kind: 'wrong', line, problem: expect.stringContaining(problem) });
  });

  it('are limited in number and in cells', () => {
    expect(cells('a,b\n'.repeat(1000))).toHaveLength(1000);
    expect(parseCsv('a,b\n'.repeat(1001), limits)).toMatchObject({ kind: 'wrong', line: 1001 });
    expect(cells(`a${','.repeat(9)}`)).toHaveLength(1);
    expect(parseCsv(`a\n${','.repeat(2 ** 20)}`, limits)).toMatchObject({ kind: 'wrong', line: 2 });
  });

  it('may have a quoted cell of many megabytes', () => {
    const value = 'a"b,\n'.repeat(2 ** 20);
    expect(cells(csvLine(['x', value]))).toEqual([['x', value]]);
  });

  it('are read back as they were written', () => {
    const value = fc.string().map((text) => text.trim());
    const row = fc.array(value, { minLength: 1, maxLength: 4 }).filter((values) => values.some((text) => text !== ''));
    fc.assert(
      fc.property(fc.array(row), (rows) => {
        expect(cells(rows.map(csvLine).join(''))).toEqual(rows);
      }),
    );
  });
});
