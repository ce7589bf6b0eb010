import fc from 'fast-check';
import { expect, test } from 'vitest';
import { skuList } from './search-attributes.js';

test('each SKU is listed once, in the order of its first occurrence', () => {
  expect(skuList(['B', 'A', 'B', 'C'])).toEqual(['B', 'A', 'C']);
  expect(skuList([])).toEqual([]);
});

test('the list fits into a search attribute, and leaves out only the last SKUs', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.stringMatching(/^[A-Z0-9-]{1,64}$/), { maxLength: 200 }), (skus) => {
      const list = skuList(skus);
      expect(Buffer.byteLength(JSON.stringify(list))).toBeLessThan(2048);
      expect(list).toEqual(skus.slice(0, list.length));
      expect(list.length === skus.length || list.length >= 20).toBe(true);
    }),
  );
});
