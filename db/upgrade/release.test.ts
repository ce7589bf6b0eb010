import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { release, standingAmong } from './release.js';

test('the release is the version of package.json', () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  expect(release).toBe(version);
});

test.each<[string, readonly string[], string, string]>([
  ['a database without any', [], '0.2.0', 'present'],
  ['the newest', ['0.1.0', '0.2.0'], '0.2.0', 'present'],
  ['a newer one', ['0.1.0', '0.2.0'], '0.3.0', 'present'],
  ['the one before the newest', ['0.2.0', '0.1.0'], '0.1.0', 'served'],
  ['an older one', ['0.1.0', '0.2.0', '0.3.0'], '0.1.0', 'unserved'],
  ['one that was never there', ['0.1.0', '0.3.0'], '0.2.0', 'unserved'],
  ['the one before, by number and not by letter', ['0.9.0', '0.10.0'], '0.9.0', 'served'],
  ['the newest, by number and not by letter', ['0.9.0', '0.10.0'], '0.10.0', 'present'],
])('%s', (_what, applied, mine, kind) => {
  expect(standingAmong(applied, mine).kind).toBe(kind);
});
