import { expect, test } from 'vitest';
import { reasonOf, refuse, refuseFields } from './reply.js';

const unknown = (line: number) => ({
  pointer: `/lines/${line}/sku`,
  code: 'unknown_sku',
  detail: `there is no product X${line}`,
});

test('a refusal explains each field once: its detail only names the fields', () => {
  const { refusal } = refuseFields('unknown_sku', [unknown(0), unknown(3)]);
  expect(refusal).toEqual({
    code: 'unknown_sku',
    detail: 'not valid: /lines/0/sku, /lines/3/sku',
    extensions: { errors: [unknown(0), unknown(3)] },
  });
  expect(refusal.detail).not.toContain('there is no product');
});

test('its detail stays short, however many fields are invalid and however long their names are', () => {
  const long = { pointer: `/${'x'.repeat(10_000)}`, code: 'unknown_field', detail: 'is not a known field' };
  const { refusal } = refuseFields('validation_failed', Array<typeof long>(100).fill(long));
  expect(refusal.detail.length).toBeLessThan(500);
  expect(refusal.detail).toMatch(/ and 95 more$/);
});

test('as a single text, it says which field is invalid and why', () => {
  expect(reasonOf(refuseFields('unknown_sku', [unknown(0)]))).toBe('/lines/0/sku: there is no product X0');
  expect(reasonOf(refuse('not_found', 'no such reservation'))).toBe('no such reservation');
});
