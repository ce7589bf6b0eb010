import { expect, test } from 'vitest';
import { utcInstant } from './instants.js';

test.each([
  ['2026-11-01T00:00:00Z', '2026-11-01T00:00:00.000000Z'],
  ['2026-11-01t00:00:00.1234567z', '2026-11-01T00:00:00.123456Z'],
  ['2026-11-01T00:00:00+16:00', '2026-10-31T08:00:00.000000Z'],
  ['2026-11-01T00:00:00-23:59', '2026-11-01T23:59:00.000000Z'],
  ['2024-02-29T12:00:00.5+00:30', '2024-02-29T11:30:00.500000Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000000Z'],
  ['9999-12-31T23:59:59.999999Z', '9999-12-31T23:59:59.999999Z'],
])('%s is %s', (text, instant) => {
  expect(utcInstant(text)).toEqual({ instant });
});

test.each([
  '2026-11-01T24:00:00Z',
  '2026-12-31T23:59:60Z',
  '2026-02-30T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-11-01T00:00:00+24:00',
  '2026-11-01T00:00:00+01:60',
  '2026-11-01T00:00:00',
  '2026-11-01',
  '0000-12-31T00:00:00Z',
  '0001-01-01T00:00:00+00:01',
  '9999-12-31T23:59:59-00:01',
  '+010000-01-01T00:00:00Z',
  '-0001-01-01T00:00:00Z',
  '2026-11-01T00:00:00\u0000Z',
  '\ud800',
  'infinity',
  '',
])('%j is not an instant', (text) => {
  expect(utcInstant(text)).toEqual({ problem: expect.stringContaining('must be') });
});

test('a plus that was decoded as a space is pointed out', () => {
  expect(utcInstant('2026-11-01T00:00:00 02:00')).toEqual({ problem: expect.stringContaining('%2B') });
  expect(utcInstant('yesterday')).toEqual({ problem: expect.not.stringContaining('%2B') });
});
