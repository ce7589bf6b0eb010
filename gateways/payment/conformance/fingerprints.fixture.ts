/** What tells whether two tokens are one card. */
import { expect, test } from 'vitest';
import { authorized, operationOn, type Suite } from './provider.fixture.js';

export function testFingerprints(suite: Suite): void {
  test('the same card has the same fingerprint, and another card another one', async () => {
    const { good, declined } = suite.provider.tokens;
    const first = await suite.gateway.fingerprint(good);
    expect(first).toMatch(/^[\x21-\x7e]{1,255}$/);
    expect(await suite.gateway.fingerprint(good)).toBe(first);
    expect(await suite.gateway.fingerprint(declined.token)).not.toBe(first);
    const other = await suite.gateway.fingerprint('tok_somebody');
    expect(other).not.toBe(first);
    expect(await suite.gateway.fingerprint('tok_somebody')).toBe(other);
  });

  test('asking for a fingerprint charges nothing, and does not use the card up', async () => {
    const token = `tok_once_${suite.provider.tokens.good.length}`;
    expect(await suite.gateway.fingerprint(token)).toEqual(expect.any(String));
    expect(await authorized(suite, operationOn(token))).toEqual(expect.any(String));
  });
}
