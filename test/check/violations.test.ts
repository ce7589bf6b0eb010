/**
 * The compiler flags, the lint rules and the search for unused code each find a planted violation, in a small project with
 * the same configuration files.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { projectRoot } from '../../dev/home/paths.js';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-rules-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const configurations = ['package.json', 'tsconfig.json', '.oxlintrc.json', 'knip.json'];

beforeAll(() => {
  for (const name of configurations) cpSync(join(projectRoot, name), join(folder, name));
  symlinkSync(join(projectRoot, 'node_modules'), join(folder, 'node_modules'));
});

function write(file: string, ...lines: readonly string[]): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), `${lines.join('\n')}\n`);
}

/** The output of a program in node_modules, which must exit with 1 or 2 because it found something. */
async function findings(program: string, ...args: readonly string[]): Promise<string> {
  const bin = join(projectRoot, 'node_modules/.bin', program);
  const { code, stdout } = await promisify(execFile)(bin, args, { cwd: folder }).then(
    () => ({ code: 0, stdout: '' }),
    (error: { code: number; stdout: string }) => error,
  );
  expect([1, 2]).toContain(code);
  return stdout;
}

describe('the compiler', () => {
  let said: string;

  beforeAll(async () => {
    write('domain/returns.ts', 'export function half(of: number) {', '  if (of > 1) return of / 2;', '}');
    write('domain/local.ts', 'export function one(): number {', '  const two = 2;', '  return 1;', '}');
    write('domain/parameter.ts', 'export function one(of: number): number {', '  return 1;', '}');
    said = await findings('tsc', '--noEmit', '-p', 'tsconfig.json');
  });

  test.each([
    ['a path without a result', 'domain/returns.ts(1,17): error TS7030'],
    ['an unused variable', 'domain/local.ts(2,9): error TS6133'],
    ['an unused parameter', 'domain/parameter.ts(1,21): error TS6133'],
  ])('refuses %s', (_name, error) => expect(said).toContain(error));
});

describe('the lint rules', () => {
  let said: readonly string[];
  const file = 'db/promises.ts';
  const lines = [
    "import { readFile } from 'node:fs/promises';",
    "import { sleep } from '@temporalio/workflow';",
    "import type { Sql } from 'postgres';",
    'declare const sql: Sql;',
    'const read = () => readFile("x");',
    'read();',
    'sleep(5);',
    'sql`select 1`;',
    'if (read()) sql;',
    'setTimeout(async () => void (await read()), 1);',
    'void read();',
    'await read();',
  ];

  beforeAll(async () => {
    write(file, ...lines);
    said = (await findings('oxlint', '--format', 'unix', file)).split('\n');
  });

  test.each([
    ['a promise that is not awaited', 6, 'no-floating-promises'],
    ["one of Temporal's", 7, 'no-floating-promises'],
    ['a query that is not awaited', 8, 'no-floating-promises'],
    ['a promise as a condition', 9, 'no-misused-promises'],
    ['an async callback that is not awaited', 10, 'no-misused-promises'],
  ])('refuse %s', (_name, line, rule) => {
    expect(said.find((found) => found.startsWith(`${file}:${line}:`))).toContain(rule);
  });

  test.each([1, 2, 3, 4, 5, 11, 12])(`find nothing in line %i`, (line) => {
    expect(said.filter((found) => found.startsWith(`${file}:${line}:`))).toEqual([]);
  });
});

describe('the search for unused code', () => {
  test('finds exports that only their own file uses', async () => {
    write('cli/main.ts', "import { used } from './one.js';", 'console.log(used);');
    write(
      'cli/one.ts',
      'export const inner = 1;',
      'export interface Inner {',
      '  readonly a: number;',
      '}',
      'const both: Inner = { a: inner };',
      'export const used = both;',
    );
    const found = await findings('knip', '--include', 'exports,types', '--reporter', 'compact');
    expect(found).toContain('cli/one.ts: inner');
    expect(found).toContain('cli/one.ts: Inner');
    expect(found).not.toMatch(/: .*\bused\b/);
  });
});
