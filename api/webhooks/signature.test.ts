import Stripe from 'stripe';
import { describe, expect, test } from 'vitest';
import { isSigned, readSignature } from './signature.js';

const now = Date.parse('2026-11-28T09:00:00Z');
const seconds = now / 1000;
const payload = '{"id":"evt_1","note":"é"}';
const { webhooks } = new Stripe('sk_test_unused');
/** A header as Stripe itself makes it. */
const headerOf = (secret: string, timestamp = seconds) =>
  webhooks.generateTestHeaderString({ payload, secret, timestamp });

function accepts(header: string | undefined, secrets: readonly string[], body = payload): boolean {
  const signature = readSignature(header, now);
  return signature !== null && isSigned(Buffer.from(body), signature, secrets);
}

describe('a signature of Stripe', () => {
  test('is accepted, with either of two secrets', () => {
    expect(accepts(headerOf('whsec_old'), ['whsec_old'])).toBe(true);
    expect(accepts(headerOf('whsec_old'), ['whsec_new', 'whsec_old'])).toBe(true);
    expect(accepts(headerOf('whsec_new'), ['whsec_new', 'whsec_old'])).toBe(true);
  });

  test('may stand beside that of another secret', () => {
    const [, other] = headerOf('whsec_other').split(',');
    expect(accepts(`${headerOf('whsec_own')},${other}`, ['whsec_own'])).toBe(true);
    const [time, own] = headerOf('whsec_own').split(',');
    expect(accepts(`${time},${other},${own}`, ['whsec_own'])).toBe(true);
  });

  test.each([
    [-301, false],
    [-300, true],
    [300, true],
    [301, false],
  ])('made %i s from now is accepted: %s', (offset, accepted) => {
    expect(accepts(headerOf('whsec_own', seconds + offset), ['whsec_own'])).toBe(accepted);
  });

  test('of another body, of another secret or without a secret is refused', () => {
    expect(accepts(headerOf('whsec_own'), ['whsec_own'], `${payload} `)).toBe(false);
    expect(accepts(headerOf('whsec_other'), ['whsec_own'])).toBe(false);
    expect(accepts(headerOf('whsec_own'), [])).toBe(false);
  });

  test.each([
    [undefined],
    [''],
    ['t=1'],
    [`t=${seconds}`],
    [`t=${seconds},v0=${'0'.repeat(64)}`],
    [`t=${seconds},v1=short`],
    [`t=soon,v1=${'0'.repeat(64)}`],
    [`t=${seconds},${`v1=${'0'.repeat(64)},`.repeat(11)}`],
    ['x'.repeat(5000)],
  ])('%s is none', (header) => {
    expect(readSignature(header, now)).toBeNull();
  });
});
