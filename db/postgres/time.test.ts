import { expect, test } from 'vitest';
import { rfc3339 } from './time.js';

test.each([
  ['2026-11-21 05:41:07.123456+00', '2026-11-21T05:41:07.123456Z'],
  ['2026-11-21 05:41:07.12345+00', '2026-11-21T05:41:07.123450Z'],
  ['2026-11-21 05:41:07.1+00', '2026-11-21T05:41:07.100000Z'],
  ['2026-11-21 05:41:07+00', '2026-11-21T05:41:07.000000Z'],
])('%s becomes %s, always with six decimals', (text, expected) => {
  expect(rfc3339(text)).toBe(expected);
});
