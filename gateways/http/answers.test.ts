import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { errorOf, expectShape, providerId, providerText } from './answers.js';
import { GatewayFault, presentable } from './fault.js';

const malformed = expect.objectContaining({ name: 'GatewayFault', fault: 'malformed' });
const thrown = (act: () => unknown): unknown => {
  try {
    return act();
  } catch (error) {
    return error;
  }
};

describe("a provider's id", () => {
  const read = (ref: unknown) => thrown(() => expectShape('supplier', z.object({ ref: providerId }), { ref }));

  it.each(['sres_01', 'x', 'a/b#c"d', '0'.repeat(128), 'order/ord_1/supplier/1'])('may be %s', (ref) => {
    expect(read(ref)).toEqual({ ref });
  });

  it.each([
    ['empty', ''],
    ['too long', 'x'.repeat(129)],
    ['of 3 MB', 'x'.repeat(3_000_000)],
    ['with NUL', 'a\0b'],
    ['with a line break', 'a\n'],
    ['with a space', 'a b'],
    ['with half a surrogate pair', '\ud800'],
    ['with a letter outside ASCII', 'é'],
    ['a card number', '4111111111111111'],
    ['a number', 5],
    ['a list', ['a']],
    ['null', null],
    ['missing', undefined],
  ])('is malformed: %s', (_what, ref) => {
    expect(read(ref)).toEqual(malformed);
  });
});

describe("a provider's text", () => {
  const read = (detail: unknown) => thrown(() => errorOf('payment', { error: { code: 'x', detail } }));

  it('is well-formed, on one line and of bounded length', () => {
    expect(read('Trop tard : déjà livré 📦')).toEqual({ code: 'x', detail: 'Trop tard : déjà livré 📦' });
    for (const text of ['a\0', 'a\nb', 'a\u0085', '\udfff', 'x'.repeat(2001), 7]) expect(read(text)).toEqual(malformed);
  });

  it('is replaced if it contains a card number', () => {
    expect(JSON.stringify(read('the card 4111 1111 1111 1111 is stolen'))).not.toContain('4111');
    expect(providerText.parse('see 4111111111111111')).toMatch(/removed/);
  });
});

describe('the error in an answer', () => {
  it.each([null, 'text', [], {}, { status: 'ok' }])('is null for %j', (body) => {
    expect(errorOf('payment', body)).toBeNull();
  });

  it.each([
    ['no code', {}],
    ['another type', 'declined'],
    ['a long code', { code: 'x'.repeat(200) }],
    ['a card number as the reason', { code: 'declined', declineCode: '4111111111111111' }],
  ])('is malformed with %s', (_what, error) => {
    expect(thrown(() => errorOf('payment', { error }))).toEqual(malformed);
  });
});

describe('the message of a fault', () => {
  it('is one short line without tokens or card numbers', () => {
    const { message } = new GatewayFault('mail', 'no_answer', `a\0b\r\nc tok_visa ${'x'.repeat(5000)}`);
    expect(message).toMatch(/^mail: a b c tok_… x+$/);
    expect(message.length).toBeLessThan(600);
    expect(presentable('550 4111111111111111 unknown')).not.toContain('4111');
  });
});
