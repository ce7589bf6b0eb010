import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../../dev/home/paths.js';

/** Mutable module state: a variable, a collection. A WeakMap is allowed, since its keys can belong to one workflow. */
const state = /^(?:export )?(?:let |var |const \w+[^=]*= (?:new (?:Map|Set|Array)\b|\[\]|\{\}))/;

const stateIn = (source: string) => source.split('\n').filter((line) => state.test(line));

// All workflows of a worker share the bundle's modules, so workflows would see each other's module state.
test.each(['workflows', 'domain'])('no module in %s has mutable state', (room) => {
  const files = readdirSync(join(projectRoot, room), { encoding: 'utf8', recursive: true }).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.test.ts'),
  );
  expect(files.length).toBeGreaterThan(10);
  const found = files.flatMap((file) =>
    stateIn(readFileSync(join(projectRoot, room, file), 'utf8')).map((line) => `${room}/${file}: ${line}`),
  );
  expect(found).toEqual([]);
});

test.each([
  'let count = 0;',
  'export let count = 0;',
  'const waiting = new Map<string, number>();',
  'const waiting: Set<string> = new Set();',
  'export const seen: string[] = [];',
])('the rule finds %s', (line) => {
  expect(stateIn(`// a module\n${line}\n  let local = 0;\n`)).toEqual([line]);
});
