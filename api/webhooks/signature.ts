/**
 * Stripe's signatures: `Stripe-Signature: t=<seconds>,v1=<hex>`, an HMAC-SHA256 of `<seconds>.<body>`
 * (https://docs.stripe.com/webhooks#verify-manually). During a rotation an event carries several.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** How far the clock of the sender may be away from ours, either way. */
const toleranceSeconds = 300;
const maxHeaderLength = 2000;
const maxSignatures = 10;

export interface Signature {
  /** Seconds since 1970, as they were sent. */
  readonly at: string;
  readonly digests: readonly Buffer[];
}

/** Reads the header; null if it is not one, or if its time is too far from `now` (milliseconds). */
export function readSignature(header: string | undefined, now: number): Signature | null {
  if (header === undefined || header.length > maxHeaderLength) return null;
  const parts = header.split(',').map((part) => part.trim().split('=', 2));
  const valuesOf = (wanted: string) => parts.flatMap(([name, value = '']) => (name === wanted ? [value] : []));
  const [at = ''] = valuesOf('t');
  const digests = valuesOf('v1').filter((text) => /^[0-9a-f]{64}$/.test(text));
  if (!/^\d{1,12}$/.test(at) || digests.length === 0 || digests.length > maxSignatures) return null;
  if (Math.abs(now / 1000 - Number(at)) > toleranceSeconds) return null;
  return { at, digests: digests.map((text) => Buffer.from(text, 'hex')) };
}

/** Whether one of the secrets has signed the body. Takes the same time wherever a digest differs. */
export function isSigned(body: Buffer, { at, digests }: Signature, secrets: readonly string[]): boolean {
  const expected = secrets.map((secret) => createHmac('sha256', secret).update(`${at}.`).update(body).digest());
  return digests.some((digest) => expected.some((own) => timingSafeEqual(own, digest)));
}
