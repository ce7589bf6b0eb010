import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Journaled } from './journal.js';

const entry = z.strictObject({ n: z.int() });
let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'journal-'));
  path = join(folder, 'deep', 'facts.jsonl');
});
afterEach(() => rm(folder, { recursive: true }));

async function openCollecting() {
  const journal = await Journaled.open(path, entry.parse, () => {
    const facts: number[] = [];
    return { facts, post: ({ n }: { n: number }) => facts.push(n) };
  });
  return { journal, facts: journal.books.facts };
}

describe('the journal', () => {
  it('returns every fact in the order written, across several runs', async () => {
    const first = await openCollecting();
    await Promise.all(Array.from({ length: 500 }, (_, n) => first.journal.post({ n })));
    await first.journal.close();
    const second = await openCollecting();
    expect(second.facts).toEqual(Array.from({ length: 500 }, (_, n) => n));
    await second.journal.post({ n: 500 });
    await second.journal.close();
    const third = await openCollecting();
    expect(third.facts.at(-1)).toBe(500);
    await third.journal.close();
  });

  it('writes a fact to the file before its post resolves', async () => {
    const { journal } = await openCollecting();
    await journal.post({ n: 7 });
    expect(await readFile(path, 'utf8')).toBe('{"n":7}\n');
    await journal.close();
  });

  it('is settled only when the file has every fact posted before', async () => {
    const { journal } = await openCollecting();
    for (let n = 0; n < 3; n++) void journal.post({ n });
    await journal.settled();
    expect((await readFile(path, 'utf8')).trim().split('\n')).toHaveLength(3);
    await journal.close();
  });

  it('drops a truncated last line, and continues after the complete ones', async () => {
    const first = await openCollecting();
    await first.journal.post({ n: 1 });
    await first.journal.close();
    await appendFile(path, '{"n":2');
    const second = await openCollecting();
    expect(second.facts).toEqual([1]);
    await second.journal.post({ n: 3 });
    await second.journal.close();
    const third = await openCollecting();
    expect(third.facts).toEqual([1, 3]);
    await third.journal.close();
  });

  it('does not open if a line in the middle is broken, and names it', async () => {
    const first = await openCollecting();
    await first.journal.close();
    await writeFile(path, '{"n":1}\nnonsense\n{"n":3}\n');
    await expect(openCollecting()).rejects.toThrow(/facts\.jsonl is broken at line 2/);
  });
});
