import { expect, test } from 'vitest';
import { email } from './payment.js';

test.each([
  'ada@example.com',
  `${'a'.repeat(64)}@example.com`,
  `ada@${'b'.repeat(63)}.org`,
  "o'brien+x@mail.example.co.uk",
])('mail can be sent to %s', (address) => {
  expect(email.safeParse(address).success).toBe(true);
});

test.each([
  `${'a'.repeat(65)}@example.com`,
  `ada@${'b'.repeat(64)}.org`,
  'ada@example-.com',
  'ada',
  'a..b@example.com',
  '',
])('mail cannot be sent to %s', (address) => {
  expect(email.safeParse(address).success).toBe(false);
});
