import { expect, test } from 'vitest';
import { newOrder, orderChange } from '../orders/schemas.js';
import { fieldErrors } from './validation.js';

function errorsOf(body: unknown) {
  const parsed = newOrder.safeParse(body);
  return parsed.success ? [] : fieldErrors(parsed.error.issues, body);
}

test('each invalid field is named by its JSON pointer', () => {
  const body = { lines: [{ sku: 'A', quantity: 0 }, { quantity: 1.5 }], 'a/b~c': 1 };
  expect(errorsOf(body)).toEqual([
    expect.objectContaining({ pointer: '/lines/0/quantity', code: 'too_small' }),
    { pointer: '/lines/1/sku', code: 'required', detail: 'is required' },
    expect.objectContaining({ pointer: '/lines/1/quantity', code: 'invalid_type' }),
    { pointer: '/a~1b~0c', code: 'unknown_field', detail: 'is not a known field' },
  ]);
});

test('errors in a union are those of the alternative that fits best', () => {
  expect(errorsOf({ payment: { cardToken: 'visa' } })).toEqual([
    expect.objectContaining({ pointer: '/payment/cardToken', code: 'invalid_format' }),
  ]);
  expect(errorsOf({ payment: { method: 'cash' } })).toEqual([
    expect.objectContaining({ pointer: '/payment/method', code: 'invalid_value' }),
  ]);
});

test('errors in what may be null are those of the value that was sent', () => {
  const { error } = orderChange.safeParse({ shippingAddress: {} });
  expect(fieldErrors(error?.issues ?? [], { shippingAddress: {} })).toMatchObject([
    { pointer: '/shippingAddress/line1', code: 'required' },
    { pointer: '/shippingAddress/city', code: 'required' },
    { pointer: '/shippingAddress/country', code: 'required' },
  ]);
});

test('errors in what may be a text or a literal are those of the text', () => {
  expect(errorsOf({ metadata: { a: null } })).toMatchObject([{ pointer: '/metadata/a', code: 'invalid_type' }]);
  expect(errorsOf({ metadata: { a: 'x'.repeat(501) } })).toMatchObject([{ pointer: '/metadata/a', code: 'too_big' }]);
});

test('text that Postgres cannot store is refused', () => {
  expect(errorsOf({ customer: { name: 'a\0b' } })).toMatchObject([{ pointer: '/customer/name' }]);
  expect(errorsOf({ customer: { name: 'a\ud800' } })).toMatchObject([{ pointer: '/customer/name' }]);
  expect(errorsOf({ customer: { name: 'a😀' } })).toEqual([]);
});

test('the answer to a body full of errors stays small, whatever the errors are', () => {
  const size = 256 * 1024;
  const count = size / 8;
  const manyFields = Object.fromEntries(Array.from({ length: count }, (_, number) => [`a${number}`, 0]));
  const manyLines = { lines: Array.from({ length: count }, () => ({ sku: '', quantity: 'x' })) };
  const longName = { ['/~'.repeat(size / 2)]: 1 };
  const longNameInside = { payment: { ['x'.repeat(size)]: 1 } };
  for (const body of [manyFields, manyLines, longName, longNameInside]) {
    const errors = errorsOf(body);
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.length).toBeLessThanOrEqual(50);
    expect(JSON.stringify(errors).length).toBeLessThan(16 * 1024);
  }
  expect(errorsOf(manyFields)).toHaveLength(50);
});

test('errors never repeat the values that were sent', () => {
  const secret = 'jane.doe@example';
  const body = {
    customer: { email: secret, id: 7 },
    payment: { cardToken: secret },
    lines: [{ sku: secret, quantity: secret }],
  };
  const errors = errorsOf(body);
  expect(errors).toHaveLength(5);
  expect(JSON.stringify(errors)).not.toContain(secret);
});
