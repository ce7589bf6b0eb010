import { describe, expect, test } from 'vitest';
import { isCardToken, isTokenOf, maxTokenLength, withoutTokens } from './tokens.js';

describe('a card token', () => {
  test.each([
    ['tok_visa', true, true],
    ['pm_card_visa', false, true],
    ['visa', false, false],
    ['4242424242424242', false, false],
    ['src_1', false, false],
    ['tok_a b', false, false],
    [`tok_${'x'.repeat(maxTokenLength)}`, false, false],
    [42, false, false],
  ])('%j is one of the sandbox: %j, of Stripe: %j', (value, ofSandbox, ofStripe) => {
    expect([isTokenOf('sandbox', value), isTokenOf('stripe', value)]).toEqual([ofSandbox, ofStripe]);
    expect(isCardToken(value)).toBe(ofSandbox || ofStripe);
  });
});

test.each([
  ['the card tok_visa was refused', 'the card tok_… was refused'],
  ['{"payment_method":"pm_1Abc-x"}', '{"payment_method":"pm_…'],
  ['pi_3Abc_secret_9xyz leaked', 'pi_3Abc_secret_… leaked'],
  ['(tok_visa) and pm_card', '(tok_… and pm_…'],
  ['a stop_sign and 3pm_today', 'a stop_sign and 3pm_today'],
])('is masked: %s', (text, shown) => {
  expect(withoutTokens(text)).toBe(shown);
});
