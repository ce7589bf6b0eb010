import { describe, expect, test } from 'vitest';
import { isCountryCode } from './countries.js';

describe('a country', () => {
  test.each(['US', 'GB', 'DE', 'SX', 'TW', 'PS'])('is %s', (code) => expect(isCountryCode(code)).toBe(true));
  test.each(['UK', 'EU', 'XX', 'AN', 'us', 'USA', ''])('is not %s', (code) => expect(isCountryCode(code)).toBe(false));
});
