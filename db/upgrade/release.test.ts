import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { describeStanding, release, standingAmong } from './release.js';

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
  ['a candidate of the newest', ['0.1.0', '0.2.0-rc.1', '0.2.0'], '0.2.0-rc.1', 'served'],
  ['the release after its candidate', ['0.1.0', '0.2.0-rc.1'], '0.2.0', 'present'],
  ['the one before a candidate', ['0.1.0', '0.2.0-rc.1'], '0.1.0', 'served'],
  ['the one before a release with a candidate', ['0.1.0', '0.2.0-rc.1', '0.2.0'], '0.1.0', 'unserved'],
  ['candidates by number', ['0.2.0-rc.9', '0.2.0-rc.10'], '0.2.0-rc.9', 'served'],
  ['another build of the newest', ['0.1.0', '0.2.0+a'], '0.2.0+b', 'present'],
  ['the one before, where the newest had several builds', ['0.1.0', '0.2.0+a', '0.2.0+b'], '0.1.0', 'served'],
  ['another build of the one before', ['0.1.0+a', '0.2.0'], '0.1.0+b', 'served'],
])('%s', (_what, applied, mine, kind) => {
  expect(standingAmong(applied, mine).kind).toBe(kind);
});

test('a database that was left as it is names the release that it belongs to', () => {
  expect(describeStanding({ kind: 'present' })).toBe('up to date');
  expect(describeStanding({ kind: 'served', newest: '9.10.0', before: release })).toBe(
    `left as it is: it belongs to release 9.10.0, which is newer and serves this one (${release})`,
  );
  expect(describeStanding({ kind: 'served', newest: null, before: null })).toBe(
    `left as it is: it belongs to a newer build and serves this one (${release})`,
  );
});
