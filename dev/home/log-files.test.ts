import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { lastWords, logLength } from './log-files.js';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-words-'));
const log = join(folder, 'api.log');
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => writeFileSync(log, 'FATAL: the cause of yesterday\n'));

test("a server's last words are its own, not an earlier server's", async () => {
  const from = logLength(log);
  expect(await lastWords(log, from)).toBe('');
  appendFileSync(log, 'out of luck\n');
  expect(await lastWords(log, from)).toBe('out of luck');
});

test("a server's last words are its last error, even if more lines follow", async () => {
  const from = logLength(log);
  appendFileSync(log, 'Error: the first\nError: the second\n    at main (file.js:1)\n\nNode.js v20.20.2\n');
  expect(await lastWords(log, from)).toBe('Error: the second');
});

test('a log that is missing or was truncated has no last words', async () => {
  expect(logLength(join(folder, 'none.log'))).toBe(0);
  expect(await lastWords(join(folder, 'none.log'), 0)).toBe('');
  expect(await lastWords(log, 10_000)).toBe('');
});
