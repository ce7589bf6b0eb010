/** Stripe's idempotency and the scripted faults, as the real Stripe client sees them. */
import { describe, expect, it } from 'vitest';
import { errorOf, type Seen } from './client.fixture.js';
import { byToken, fresh, sandboxFace } from './face.fixture.js';

const seen: Seen[] = [];
const face = sandboxFace(seen);

const idOf = async (token: string) => (await face.stripe.paymentIntents.create(byToken(token))).id;
const lastHeader = (name: string) => seen.at(-1)?.headers.get(name) ?? null;
const within = (milliseconds: number, key: string) => ({ timeout: milliseconds, idempotencyKey: key });
const booked = async (reference: string) =>
  JSON.parse(await (await fetch(`${face.url}/payments?reference=${reference}`)).text());
async function control(path: string, body: unknown): Promise<void> {
  const answer = await fetch(`${face.url}/stripe-control/${path}`, { method: 'POST', body: JSON.stringify(body) });
  expect(answer.ok).toBe(true);
}

describe('an idempotency key', () => {
  it('repeats the first answer, declines too, and says so', async () => {
    const idempotencyKey = fresh('key');
    const params = { ...byToken('tok_visa'), confirm: true };
    const first = await face.stripe.paymentIntents.create(params, { idempotencyKey });
    expect(lastHeader('idempotent-replayed')).toBeNull();
    const original = lastHeader('request-id');
    await face.stripe.paymentIntents.capture(first.id);
    // What it was at first, although it is captured now.
    expect(await face.stripe.paymentIntents.create(params, { idempotencyKey })).toMatchObject({
      id: first.id,
      status: 'requires_capture',
    });
    expect([lastHeader('idempotent-replayed'), lastHeader('original-request')]).toEqual(['true', original]);

    const id = await idOf('tok_insufficient_funds');
    for (const replayed of [null, 'true']) {
      const error = await errorOf(
        face.stripe.paymentIntents.confirm(id, {}, { idempotencyKey: `${idempotencyKey}/c` }),
      );
      expect([error.statusCode, error.decline_code]).toEqual([402, 'insufficient_funds']);
      expect(lastHeader('idempotent-replayed')).toBe(replayed);
    }
  });

  it('is refused with other parameters, and is free again after a call that was wrong from the start', async () => {
    const idempotencyKey = fresh('key');
    const params = byToken('tok_visa');
    const wrong = await errorOf(face.stripe.paymentIntents.create({ ...params, amount: 1 }, { idempotencyKey }));
    expect(wrong.code).toBe('amount_too_small');
    await face.stripe.paymentIntents.create(params, { idempotencyKey });
    const other = await errorOf(face.stripe.paymentIntents.create({ ...params, amount: 2000 }, { idempotencyKey }));
    expect([other.statusCode, other.type]).toEqual([400, 'StripeIdempotencyError']);
  });

  it('is in use while its call acts', async () => {
    const idempotencyKey = fresh('key');
    const id = await idOf('tok_slow_600');
    const first = face.stripe.paymentIntents.confirm(id, {}, { idempotencyKey });
    await new Promise((resolve) => setTimeout(resolve, 200));
    const second = await errorOf(face.stripe.paymentIntents.confirm(id, {}, { idempotencyKey }));
    expect([second.statusCode, second.code]).toEqual([409, 'idempotency_key_in_use']);
    expect(lastHeader('stripe-should-retry')).toBe('true');
    expect((await first).status).toBe('requires_capture');
  });

  it('keeps a 500 for ever, whether the call acted or not; a new key asks anew', async () => {
    for (const acts of [false, true]) {
      const id = await idOf('tok_visa');
      await control('call-faults', { call: 'confirm', answer: 'failed', acts });
      const idempotencyKey = fresh('key');
      for (let n = 0; n < 3; n++) {
        const error = await errorOf(face.stripe.paymentIntents.confirm(id, {}, { idempotencyKey }));
        expect([error.statusCode, error.type]).toEqual([500, 'StripeAPIError']);
        expect(lastHeader('stripe-should-retry')).toBe('false');
      }
      expect(lastHeader('idempotent-replayed')).toBe('true');
      const { status } = await face.stripe.paymentIntents.retrieve(id);
      expect(status).toBe(acts ? 'requires_capture' : 'requires_confirmation');
      if (!acts) expect((await face.stripe.paymentIntents.confirm(id)).status).toBe('requires_capture');
    }
  });

  it('is a new request once it has expired', async () => {
    const idempotencyKey = fresh('key');
    const params = { ...byToken('tok_visa'), confirm: true };
    const first = await face.stripe.paymentIntents.create(params, { idempotencyKey });
    await control('keys/expire', { key: idempotencyKey });
    const second = await face.stripe.paymentIntents.create(params, { idempotencyKey });
    expect(second.id).not.toBe(first.id);
    expect(await booked(params.metadata.reference)).toHaveLength(2);
  });

  it('acts once for 20 concurrent calls', async () => {
    const idempotencyKey = fresh('key');
    const params = { ...byToken('tok_slow_100'), confirm: true };
    const call = async (): Promise<string> => {
      for (;;)
        try {
          return (await face.stripe.paymentIntents.create(params, { idempotencyKey })).id;
        } catch (error) {
          if (!(error instanceof Error && 'code' in error && error.code === 'idempotency_key_in_use')) throw error;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
    };
    expect(new Set(await Promise.all(Array.from({ length: 20 }, call))).size).toBe(1);
    expect(await booked(params.metadata.reference)).toHaveLength(1);
  });
});

describe('a token that scripts a fault', () => {
  it('tok_auth_lost_2: the payment is authorized, and two answers are lost', async () => {
    const idempotencyKey = fresh('key');
    const id = await idOf('tok_auth_lost_2');
    for (let n = 0; n < 2; n++) {
      const error = await errorOf(face.stripe.paymentIntents.confirm(id, {}, { idempotencyKey }));
      expect(error.type).toBe('StripeConnectionError');
      expect((await face.stripe.paymentIntents.retrieve(id)).status).toBe('requires_capture');
    }
    expect((await face.stripe.paymentIntents.confirm(id, {}, { idempotencyKey })).status).toBe('requires_capture');
    expect(lastHeader('idempotent-replayed')).toBe('true');
  });

  it('tok_capture_timeout_1: the first capture neither happens nor answers', async () => {
    const id = await idOf('tok_capture_timeout_1');
    await face.stripe.paymentIntents.confirm(id);
    const key = fresh('key');
    expect((await errorOf(face.stripe.paymentIntents.capture(id, {}, within(500, key)))).type).toBe(
      'StripeConnectionError',
    );
    expect((await face.stripe.paymentIntents.retrieve(id)).status).toBe('requires_capture');
    expect((await face.stripe.paymentIntents.capture(id, {}, within(5000, key))).status).toBe('succeeded');
  });

  it('tok_flaky_2: 503 twice, and the same key goes through then', async () => {
    const id = await idOf('tok_flaky_2');
    const idempotencyKey = fresh('key');
    for (let n = 0; n < 2; n++) {
      const error = await errorOf(face.stripe.paymentIntents.confirm(id, {}, { idempotencyKey }));
      expect([error.statusCode, lastHeader('stripe-should-retry')]).toEqual([503, 'true']);
    }
    expect((await face.stripe.paymentIntents.confirm(id, {}, { idempotencyKey })).status).toBe('requires_capture');
    expect(lastHeader('idempotent-replayed')).toBeNull();
  });

  it('tok_void_down, tok_refund_down: always 500, and nothing happens', async () => {
    const open = await idOf('tok_void_down');
    await face.stripe.paymentIntents.confirm(open);
    for (let n = 0; n < 2; n++) expect((await errorOf(face.stripe.paymentIntents.cancel(open))).statusCode).toBe(500);
    expect((await face.stripe.paymentIntents.retrieve(open)).status).toBe('requires_capture');

    const taken = await idOf('tok_refund_down');
    await face.stripe.paymentIntents.confirm(taken);
    await face.stripe.paymentIntents.capture(taken);
    expect((await errorOf(face.stripe.refunds.create({ payment_intent: taken }))).statusCode).toBe(500);
    expect((await face.stripe.refunds.list({ payment_intent: taken })).data).toEqual([]);
  });

  it('tok_capture_declined: the capture is declined, and the authorization stays', async () => {
    const id = await idOf('tok_capture_declined');
    await face.stripe.paymentIntents.confirm(id);
    const error = await errorOf(face.stripe.paymentIntents.capture(id));
    expect([error.statusCode, error.code, error.payment_intent?.status]).toEqual([
      402,
      'card_declined',
      'requires_capture',
    ]);
  });
});

it('a rate limit refuses a call before anything is done', async () => {
  const id = await idOf('tok_visa');
  await control('call-faults', { call: 'confirm', answer: 'rate_limited' });
  const idempotencyKey = fresh('key');
  const error = await errorOf(face.stripe.paymentIntents.confirm(id, {}, { idempotencyKey }));
  expect([error.statusCode, error.code]).toEqual([429, 'rate_limit']);
  expect((await face.stripe.paymentIntents.confirm(id, {}, { idempotencyKey })).status).toBe('requires_capture');
});
