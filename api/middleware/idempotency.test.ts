import fc from 'fast-check';
import { expect, test } from 'vitest';
import { requestHash } from './idempotency.js';

const json = fc.jsonValue();

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
}

test('the order of its members does not change a body', () => {
  fc.assert(
    fc.property(json, (body) => {
      expect(requestHash('POST', '/api/orders', reversed(body))).toBe(requestHash('POST', '/api/orders', body));
    }),
  );
});

test('another body, path or method is another request', () => {
  fc.assert(
    fc.property(json, json, (one, other) => {
      fc.pre(JSON.stringify(one) !== JSON.stringify(other) && JSON.stringify(reversed(one)) !== JSON.stringify(other));
      fc.pre(typeof one !== 'object' || typeof other !== 'object');
      expect(requestHash('POST', '/a', one)).not.toBe(requestHash('POST', '/a', other));
    }),
  );
  expect(requestHash('POST', '/a', { a: 1 })).not.toBe(requestHash('POST', '/a', { a: 2 }));
  expect(requestHash('POST', '/a', { a: [1, 2] })).not.toBe(requestHash('POST', '/a', { a: [2, 1] }));
  expect(requestHash('POST', '/a', {})).not.toBe(requestHash('POST', '/b', {}));
  expect(requestHash('POST', '/a', {})).not.toBe(requestHash('PUT', '/a', {}));
});
