import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { projectRoot } from '../../dev/home/paths.js';

/** A file, its text, and the phrases that the check must find. */
const planted: readonly (readonly [file: string, text: string, found: readonly string[]])[] = [
  ['domain/planted.ts', '// A wish of the customer.\n', ['1 "wish"']],
  ['workflows/planted.ts', 'export interface OrderWish {}\n', ['1 "wish"']],
  ['docs/planted.md', 'Fine.\n\nWhoever calls is told to wait.\n', ['3 "whoever"', '3 "told to"']],
  ['test/planted.test.ts', "test('a payment is gone on with', () => undefined);\n", ['1 "gone on with"']],
  ['db/functions/01_planted.sql', '-- It goes on\n-- with the order.\n', ['1 "goes on with"']],
  ['activities/planted.ts', '/**\n * It is tried\n * on.\n */\n', ['2 "tried on"']],
  ['db/migrations/9999_planted.sql', '-- otherwise than before\n', ['1 "otherwise than"']],
  ['api/planted.ts', "throw new Error('a payment is in the go');\n", ['1 "in the go"']],
  ['README.md', 'A hand in the books; nothing is to be had.\n', ['1 "a hand in the"', '1 "is to be had"']],
  ['CHANGELOG.md', '## Unreleased\nTold to.\n\n## 1.0.0\nTold to.\n', ['2 "told to"']],
];

const exempt: readonly (readonly [file: string, text: string])[] = [
  ['db/migrations/0001_released.sql', '-- a wish\n'],
  ['test/bundle/replay/histories/planted.json', '{"wish": 1}\n'],
  ['node_modules/planted/index.js', '// a wish\n'],
  ['docs/fine.md', 'He told tourists that the gopher is in the goal.\n'],
];

const folder = mkdtempSync(join(tmpdir(), 'holdfast-words-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let result: { readonly code: number; readonly lines: readonly string[] };

beforeAll(async () => {
  for (const [file, text] of [...planted, ...exempt]) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  result = await checkWords();
});

async function checkWords(): Promise<typeof result> {
  const program = join(projectRoot, 'dev/check-words.mjs');
  const { code, stderr } = await promisify(execFile)(process.execPath, [program], { cwd: folder }).then(
    ({ stderr }) => ({ code: 0, stderr }),
    (error: { code: number; stderr: string }) => error,
  );
  return { code, lines: stderr.trimEnd().split('\n').filter(Boolean) };
}

describe('the check for words', () => {
  test('fails if it finds something', () => expect(result.code).toBe(1));

  test.each(planted)('finds the phrases planted in %s', (file, _text, found) => {
    const lines = result.lines.filter((line) => line.startsWith(`${file}:`));
    expect(lines.map((line) => line.slice(file.length + 1).split(': ')[0]).sort()).toEqual([...found].sort());
  });

  test.each(exempt)('says nothing about %s', (file) => {
    expect(result.lines.filter((line) => line.startsWith(`${file}:`))).toEqual([]);
  });

  test('passes if nothing is left', async () => {
    for (const [file] of planted) rmSync(join(folder, file));
    expect(await checkWords()).toEqual({ code: 0, lines: [] });
  });
});
