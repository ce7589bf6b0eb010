/** Every promise of docs/RELIABILITY.md names a test that exists. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { projectRoot } from '../../dev/home/paths.js';
import { hasTitle, readTitles, type Titles } from './test-titles.js';

type ReadFile = (path: string) => string | undefined;

const readProjectFile: ReadFile = (path) =>
  existsSync(join(projectRoot, path)) ? readFileSync(join(projectRoot, path), 'utf8') : undefined;

/** Tests that a list names and that do not exist, and promises (paragraphs in bold) whose list names no test. */
function findings(document: string, readFile: ReadFile): string[] {
  const files = new Map<string, Titles | undefined>();
  const titlesOf = (file: string) => {
    if (!files.has(file)) {
      const source = readFile(file);
      files.set(file, source === undefined ? undefined : readTitles(file, source));
    }
    return files.get(file);
  };
  return document.split(/\n{2,}/).flatMap((block) => {
    const lines = block.split('\n');
    const named = lines.filter((line) => line.startsWith('- ')).flatMap(testsIn);
    const missing = named.filter(({ file, name }) => {
      const titles = titlesOf(file);
      return titles === undefined || (name !== undefined && !hasTitle(titles, name));
    });
    return [
      ...missing.map(({ file, name }) => (name === undefined ? `no file ${file}` : `no test in ${file}: ${name}`)),
      ...(block.startsWith('**') && !named.some(({ name }) => name !== undefined) ? [`no test for: ${lines[0]}`] : []),
    ];
  });
}

/** In a list's line a file stands before the names of its tests, each in backticks. A fixture holds a suite that tests run. */
function testsIn(line: string): { readonly file: string; readonly name?: string }[] {
  let file: string | undefined;
  return [...line.matchAll(/`([^`]+)`/g)].flatMap(([, text = '']) => {
    if (/^\S+\.(test|drill|fixture)\.ts$/.test(text)) {
      file = text;
      return [{ file }];
    }
    return file === undefined || text.endsWith('/') ? [] : [{ file, name: text }];
  });
}

test('every promise names a test, and every test that is named exists', () => {
  const document = readProjectFile('docs/RELIABILITY.md') ?? '';
  expect(document.match(/^\*\*/gm)?.length).toBeGreaterThan(50);
  expect(findings(document, readProjectFile)).toEqual([]);
});

describe('a list of tests', () => {
  const source = [
    'const size = 2;',
    "describe('an order', () => {",
    "  test('is paid once', () => {});",
    "  test.each([['postgres', 300], ['temporal', 900]])('survives kill -9 of %s after %i ms', () => {});",
    "  describe.runIf(true)('whose worker dies', () => {",
    "    test.each([{ step: 'capture' }])('during the $step is settled', () => {});",
    `    test(\`is resumed by $\{size} others\`, () => {});`,
    '  });',
    '});',
  ].join('\n');
  const found = (...lines: readonly string[]) =>
    findings(lines.join('\n'), (path) => (path === 'a.test.ts' ? source : undefined));

  test.each([
    'is paid once',
    'an order is paid',
    'survives kill -9 of temporal after 900 ms',
    'survives kill -9 of temp',
    'gres after 300 ms',
    'whose worker dies during the capture is settled',
    'resumed by 2 others',
  ])('may name %s', (name) => expect(found('**A promise.**', `- \`a.test.ts\`: \`${name}\``)).toEqual([]));

  test.each([
    'is payed once',
    'survives kill -9 of temporl after 900 ms',
    'survives kill -9 of tempo after 900 ms',
    'survives kill -9 of %s',
    'during the captures is settled',
    'is paid once survives',
  ])('may not name %s', (name) =>
    expect(found('**A promise.**', `- \`a.test.ts\`: \`is paid once\`; \`${name}\``)).toEqual([
      `no test in a.test.ts: ${name}`,
    ]),
  );

  test('may not name a file that is gone', () => {
    expect(found('- `b.test.ts`: `is paid once`')).toEqual(['no file b.test.ts', 'no test in b.test.ts: is paid once']);
  });

  test('is needed by each promise, with more than a file', () => {
    expect(found('**One.** Because.', '', '**Two.**', '- `a.test.ts`')).toEqual([
      'no test for: **One.** Because.',
      'no test for: **Two.**',
    ]);
  });
});
