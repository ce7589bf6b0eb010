import { expect, test } from 'vitest';
import { bySpecificity, canonicalPath } from './paths.js';

test.each([
  ['/api/orders', '/api/orders'],
  ['/api/%6Frders', '/api/orders'],
  ['/api/products/T%2dSHIRT%2E%7e%5f1', '/api/products/T-SHIRT.~_1'],
  ['/api/products/%2f%c3%a4%25%34', '/api/products/%2F%C3%A4%254'],
  ['/api/orders/%ZZ%4', '/api/orders/%ZZ%4'],
])('%s is the path %s', (sent, canonical) => {
  expect(canonicalPath(sent)).toBe(canonical);
  expect(canonicalPath(canonical)).toBe(canonical);
});

test('a literal segment sorts before a parameter in its place, whatever their order was', () => {
  const sorted = ['/a', '/a/batch', '/a/:id', '/a/:id/b', '/:x/c'];
  expect(sorted.toReversed().sort(bySpecificity)).toEqual(sorted);
  expect(['/a/:id', '/a', '/a/batch'].sort(bySpecificity)).toEqual(['/a', '/a/batch', '/a/:id']);
});
