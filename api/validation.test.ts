import { expect, test } from 'vitest';
import { newOrder } from './orders/schemas.js';
import { fieldErrors } from './validation.js';

function errorsOf(body: unknown) {
  const parsed = newOrder.safeParse(body);
  return parsed.success ? [] : fieldErrors(parsed.error.issues, body);
}

test('each wrong field is named by its JSON pointer', () => {
  const body = { lines: [{ sku: 'A', quantity: 0 }, { quantity: 1.5 }], 'a/b~c': 1 };
  expect(errorsOf(body)).toEqual([
    expect.objectContaining({ pointer: '/lines/0/quantity', code: 'too_small' }),
    { pointer: '/lines/1/sku', code: 'required', detail: 'is required' },
    expect.objectContaining({ pointer: '/lines/1/quantity', code: 'invalid_type' }),
    { pointer: '/a~1b~0c', code: 'unknown_field', detail: 'is not a field here' },
  ]);
});

test('a choice between forms names what is wrong with the one that was meant', () => {
  expect(errorsOf({ payment: { cardToken: 'visa' } })).toEqual([
    expect.objectContaining({ pointer: '/payment/cardToken', code: 'invalid_format' }),
  ]);
  expect(errorsOf({ payment: { method: 'cash' } })).toEqual([
    expect.objectContaining({ pointer: '/payment/method', code: 'invalid_value' }),
  ]);
});

test('text that Postgres cannot keep is refused', () => {
  expect(errorsOf({ customer: { name: 'a\0b' } })).toMatchObject([{ pointer: '/customer/name' }]);
  expect(errorsOf({ customer: { name: 'a\ud800' } })).toMatchObject([{ pointer: '/customer/name' }]);
  expect(errorsOf({ customer: { name: 'a😀' } })).toEqual([]);
});

test('no value that was sent is repeated', () => {
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
