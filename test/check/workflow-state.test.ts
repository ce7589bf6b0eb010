import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../../dev/home/paths.js';

/** What a module holds that can be changed: a variable, a collection. A WeakMap may be keyed by what belongs to a workflow. */
const state = /^(?:export )?(?:let |var |const \w+[^=]*= (?:new (?:Map|Set|Array)\b|\[\]|\{\}))/;

const stateIn = (source: string) => source.split('\n').filter((line) => state.test(line));

// All workflows of a worker share the modules of the bundle: one that kept something in them would see another's.
test.each(['workflows', 'domain'])('no module of %s keeps anything between workflows', (room) => {
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
])('the rule sees %s', (line) => {
  expect(stateIn(`// a module\n${line}\n  let local = 0;\n`)).toEqual([line]);
});
