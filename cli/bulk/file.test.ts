import { describe, expect, test } from 'vitest';
import { holdsCardNumber } from '../../domain/cards/numbers.js';
import { type Batch, defaultRun, readBulkFile } from './file.js';

const textOf = (operations: readonly string[]) => `operation,sku,quantity\n${operations.join('\n')}\n`;

function batchesOf(operations: readonly string[], run = defaultRun): readonly Batch[] {
  const file = readBulkFile(Buffer.from(textOf(operations)), run);
  if (file.kind === 'wrong') throw new Error(file.problems.join());
  return file.batches;
}

const keysOf = (batches: readonly Batch[]) => batches.map(({ key }) => key);
const consumed = (sku: string, count: number) => Array.from({ length: count }, () => `consume,${sku},1`);

describe('batch keys', () => {
  test('are the same for the same lines of the same file and run, and for nothing else', () => {
    const keys = keysOf(batchesOf(consumed('A', 250)));
    expect(keys).toHaveLength(3);
    expect(keysOf(batchesOf(consumed('A', 250)))).toEqual(keys);
    const others = [...keysOf(batchesOf(consumed('A', 250), 'tuesday')), ...keysOf(batchesOf(consumed('A', 251)))];
    expect(new Set([...keys, ...others]).size).toBe(9);
  });

  test('never look like a card number, which the API would refuse', () => {
    const keys = keysOf(batchesOf(consumed('A', 250)));
    expect(keys.filter((key) => /\d[ -]\d/.test(key) || holdsCardNumber(key))).toEqual([]);
  });
});

const utf16 = (text: string) => Buffer.from(text, 'utf16le');
const text = textOf(['consume,A,1', 'reserve,B,2']);
const operationsOf = (content: Buffer) => {
  const file = readBulkFile(content, defaultRun);
  return file.kind === 'wrong' ? file.problems : file.batches.flatMap((batch) => batch.operations);
};
const expected = [
  { line: 2, operation: { operation: 'consume', sku: 'A', quantity: 1 } },
  { line: 3, operation: { operation: 'reserve', sku: 'B', quantity: 2 } },
];

describe('a file of operations', () => {
  test.each([
    ['UTF-8', Buffer.from(text)],
    ['UTF-8 with a byte order mark', Buffer.from(`\u{feff}${text}`)],
    ['UTF-16, little end first', utf16(`\u{feff}${text}`)],
    ['UTF-16, big end first', utf16(`\u{feff}${text}`).swap16()],
    ['lines that end with CR LF', Buffer.from(text.replaceAll('\n', '\r\n'))],
    ['lines that end with CR', Buffer.from(text.replaceAll('\n', '\r'))],
    ['no line end at its end', Buffer.from(text.trimEnd())],
    ['quoted cells', Buffer.from('"operation","sku","quantity"\n"consume","A","1"\n"reserve","B","2"\n')],
  ])('is read: %s', (_, content) => {
    expect(operationsOf(content)).toEqual(expected);
  });

  test.each([
    ['nothing', '', 'the file is empty'],
    ['empty lines only', '\n\r\n', 'it lacks "operation", "sku", "quantity"'],
    ['the columns only', 'operation,sku,quantity\n', 'the file has no operations'],
    ['UTF-16 without a byte order mark', utf16(text), 'UTF-16 without a byte order mark'],
    ['half a character of UTF-16', utf16(`\u{feff}${text}`).subarray(0, -1), 'truncated'],
    ['UTF-32', Buffer.from([0xff, 0xfe, 0, 0, 0x6f, 0, 0, 0]), 'UTF-32'],
    ['Latin-1', Buffer.from('operation,sku,quantity\nconsume,M\u{fc}tze,1\n', 'latin1'), 'the file is not UTF-8'],
    ['a NUL', 'operation,sku,quantity\nconsume,A\0,1\n', 'NUL'],
    ['semicolons', 'operation;sku;quantity\nconsume;A;1\n', 'semicolons or tabs'],
    ['tabs', 'operation\tsku\tquantity\n', 'semicolons or tabs'],
    ['a column twice', 'operation,sku,quantity,sku\n', 'it has "sku" twice'],
    ['a missing column', 'operation,sku\n', 'it lacks "quantity"'],
    ['an unknown column', 'operation,sku,quantity,price\n', 'it has "price"'],
    ['an unclosed quote', 'operation,sku,quantity\nconsume,"A,1\n', 'line 2: a quote is not closed'],
    ['a line break in a SKU', 'operation,sku,quantity\nconsume,"A\nB",1\n', 'line 2: the sku must be'],
    ['a SKU of a megabyte', `operation,sku,quantity\nconsume,${'A'.repeat(2 ** 20)},1\n`, 'line 2: the sku must be'],
    ['too many cells', 'operation,sku,quantity\nconsume,A,1,main\n', 'line 2: more cells than columns'],
    ['a fraction', 'operation,sku,quantity\nconsume,A,1.5\n', 'line 2: the quantity must be a whole number'],
  ])('is refused with the reason: %s', (_, content, reason) => {
    expect(operationsOf(Buffer.from(content))).toEqual([expect.stringContaining(reason)]);
  });
});
