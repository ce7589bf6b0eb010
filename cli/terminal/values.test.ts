import { InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { code, idempotencyKey, quantity, waitSeconds } from './values.js';

describe('values on the command line', () => {
  it.each(['0', '-1', '1.5', '1e3', ' 1', '', 'one', '1000000001', '00000000001'])(
    'refuses the quantity %j',
    (text) => {
      expect(() => quantity(text)).toThrow(InvalidArgumentError);
    },
  );

  it('takes quantities from 1 to 1,000,000,000 and waits from 0 to 30', () => {
    expect([quantity('1'), quantity('1000000000'), waitSeconds('0'), waitSeconds('30')]).toEqual([
      1, 1_000_000_000, 0, 30,
    ]);
    expect(() => waitSeconds('31')).toThrow(InvalidArgumentError);
  });

  it('takes codes of up to 64 characters', () => {
    expect(code('a'.repeat(64))).toHaveLength(64);
    expect(() => code('a'.repeat(65))).toThrow(InvalidArgumentError);
    expect(() => code('a/b')).toThrow(InvalidArgumentError);
  });

  it('takes idempotency keys of 1 to 255 visible ASCII characters', () => {
    expect(idempotencyKey('~'.repeat(255))).toHaveLength(255);
    for (const wrong of ['', 'a b', 'ü', 'a\n', '~'.repeat(256)])
      expect(() => idempotencyKey(wrong)).toThrow(InvalidArgumentError);
  });
});
