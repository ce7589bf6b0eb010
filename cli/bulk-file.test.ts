import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { holdsCardNumber } from '../domain/card-numbers.js';
import { type Batch, readBulkFile } from './bulk-file.js';

const folder = mkdtempSync(join(tmpdir(), 'bulk-file-'));
afterAll(() => rmSync(folder, { recursive: true }));

function batchesOf(operations: readonly string[], run = ''): readonly Batch[] {
  const path = join(folder, 'operations.csv');
  writeFileSync(path, `operation,sku,quantity\n${operations.join('\n')}\n`);
  const file = readBulkFile(path, run);
  if (file.kind === 'wrong') throw new Error(file.problems.join());
  return file.batches;
}

const keysOf = (batches: readonly Batch[]) => batches.map(({ key }) => key);
const consumed = (sku: string, count: number) => Array.from({ length: count }, () => `consume,${sku},1`);

describe('the keys of batches', () => {
  test('are the same for the same lines of the same file and run, and for nothing else', () => {
    const keys = keysOf(batchesOf(consumed('A', 250)));
    expect(keys).toHaveLength(3);
    expect(keysOf(batchesOf(consumed('A', 250)))).toEqual(keys);
    const others = [...keysOf(batchesOf(consumed('A', 250), 'tuesday')), ...keysOf(batchesOf(consumed('A', 251)))];
    expect(new Set([...keys, ...others]).size).toBe(9);
  });

  test('have no digits divided by what does not divide a card number, which the API would not take', () => {
    const keys = keysOf(batchesOf(consumed('A', 250)));
    expect(keys.filter((key) => /\d[ -]\d/.test(key) || holdsCardNumber(key))).toEqual([]);
  });
});
