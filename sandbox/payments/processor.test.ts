/** The card processor over HTTP, as its clients see it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type ProcessorClient, startProcessor } from './processor.fixture.js';

let processor: ProcessorClient;
beforeAll(async () => {
  processor = await startProcessor();
});
afterAll(() => processor.close());

const fresh = (what: string) => processor.fresh(what);
const get = (path: string) => processor.get(path);
const post = (path: string, key: string, body: unknown, signal?: AbortSignal) =>
  processor.post(path, key, body, signal);
const find = (key: string) => processor.find(key);
const order = (token: string, reference?: string) => processor.order(token, reference);
const authorized = (token: string) => processor.authorized(token);
const captured = (token: string) => processor.captured(token);

/** Repeats the call until it is answered, and counts the calls without an answer. */
async function untilAnswered(call: () => Promise<Answer>): Promise<{ answer: Answer; lost: number }> {
  for (let lost = 0; lost < 10; lost++) {
    const answer = await call().catch(() => null);
    if (answer) return { answer, lost };
  }
  throw new Error('never answered');
}

describe('the rules of the processor', () => {
  it('an authorization is captured once and in full', async () => {
    const id = await authorized('tok_visa');
    expect((await post(`${id}/capture`, fresh('c'), { amount: 1998 })).body.error.code).toBe('amount_mismatch');
    expect(await post(`${id}/capture`, fresh('c'), { amount: 1999 })).toEqual({
      status: 200,
      body: { authorizationId: id, status: 'captured' },
    });
    const again = await post(`${id}/capture`, fresh('c'), { amount: 1999 });
    expect([again.status, again.body.error.code]).toEqual([409, 'already_captured']);
    expect((await get(`/payments/${id}`)).body).toMatchObject({ status: 'captured', captured: 1999, refunded: 0 });
  });

  it('a void is refused after the capture, and a capture after the void', async () => {
    const taken = await captured('tok_visa');
    const late = await post(`${taken}/void`, fresh('v'), {});
    expect([late.status, late.body.error.code]).toEqual([409, 'already_captured']);

    const given = await authorized('tok_visa');
    expect((await post(`${given}/void`, fresh('v'), {})).body.status).toBe('voided');
    expect((await post(`${given}/void`, fresh('v'), {})).body.status).toBe('voided');
    const refused = await post(`${given}/capture`, fresh('c'), { amount: 1999 });
    expect([refused.status, refused.body.error.code]).toEqual([409, 'already_voided']);
    expect((await get(`/payments/${given}`)).body).toMatchObject({ status: 'voided', voided: true, captured: 0 });
  });

  it('refunds total at most what was captured', async () => {
    const open = await authorized('tok_visa');
    expect((await post(`${open}/refund`, fresh('r'), { amount: 1 })).body.error.code).toBe('not_captured');
    const id = await captured('tok_visa');
    expect((await post(`${id}/refund`, fresh('r'), { amount: 1500 })).status).toBe(201);
    expect((await post(`${id}/refund`, fresh('r'), { amount: 500 })).body.error.code).toBe('over_refund');
    expect((await post(`${id}/refund`, fresh('r'), { amount: 499 })).status).toBe(201);
    expect((await get(`/payments/${id}`)).body.refunded).toBe(1999);
  });

  it('the books of a reference list its authorizations, declined ones too, and every call', async () => {
    const reference = fresh('ord');
    const refused = await post('authorize', 'books-1', order('tok_insufficient_funds', reference));
    expect([refused.status, refused.body.error.declineCode]).toEqual([402, 'insufficient_funds']);
    const taken = await post('authorize', 'books-2', order('tok_visa', reference));
    const id = taken.body.authorizationId;
    for (let n = 0; n < 2; n++) await post(`${id}/capture`, 'books-3', { amount: 1999 });
    const { body } = await get(`/payments?reference=${reference}`);
    expect(body).toMatchObject([
      { token: 'tok_insufficient_funds', status: 'declined', captured: 0, refunded: 0, voided: false },
      { authorizationId: id, token: 'tok_visa', amount: 1999, currency: 'USD', reference, status: 'captured' },
    ]);
    const calls = body[1].calls.map((call: { kind: string; idempotencyKey: string }) => [
      call.kind,
      call.idempotencyKey,
    ]);
    expect(calls).toEqual([
      ['authorize', 'books-2'],
      ['capture', 'books-3'],
      ['capture', 'books-3'],
    ]);
    expect((await get('/payments')).body.length).toBeGreaterThan(2);
  });
});

describe('an idempotency key', () => {
  it('acts once and gives the same answer to 50 concurrent calls, for every kind of call', async () => {
    const request = order('tok_slow_100');
    const fifty = (call: () => Promise<Answer>) => Promise.all(Array.from({ length: 50 }, call));
    const key = fresh('a');
    const ids = new Set((await fifty(() => post('authorize', key, request))).map(({ body }) => body.authorizationId));
    expect(ids.size).toBe(1);
    const [id] = ids;
    const captures = await fifty(() => post(`${id}/capture`, `${key}/c`, { amount: 1999 }));
    expect(captures.every(({ status }) => status === 200)).toBe(true);
    const refunds = await fifty(() => post(`${id}/refund`, `${key}/r`, { amount: 100 }));
    expect(new Set(refunds.map(({ body }) => body.refundId)).size).toBe(1);
    const { body } = await get(`/payments?reference=${request.reference}`);
    expect(body).toHaveLength(1);
    expect(body[0]).toMatchObject({ captured: 1999, refunded: 100 });
    expect(body[0].calls).toHaveLength(150);
  });

  it('is refused with another body, another call, and another authorization', async () => {
    const key = fresh('a');
    const request = order('tok_visa');
    await post('authorize', key, request);
    const id = await authorized('tok_visa');
    for (const answer of [
      await post('authorize', key, { ...request, amount: 1 }),
      await post(`${id}/void`, key, {}),
      await post(`${id}/capture`, key, { amount: 1999 }),
    ])
      expect([answer.status, answer.body.error.code]).toEqual([422, 'idempotency_key_reused']);
    expect((await get(`/payments/${id}`)).body.status).toBe('authorized');
  });

  it('also repeats a refusal', async () => {
    const id = await captured('tok_visa');
    expect((await post(`${id}/refund`, 'kept', { amount: 2000 })).body.error.code).toBe('over_refund');
    expect((await post(`${id}/refund`, 'kept', { amount: 2000 })).body.error.code).toBe('over_refund');
  });

  it('can be looked up for every kind of call, with the answer it got', async () => {
    const id = await captured('tok_visa');
    const refund = await post(`${id}/refund`, 'found', { amount: 5 });
    expect(await find('found')).toEqual({
      status: 200,
      body: { kind: 'refund', idempotencyKey: 'found', answer: refund },
    });
    const declined = await post('authorize', 'found-declined', order('tok_declined'));
    expect((await find('found-declined')).body.answer).toEqual(declined);
    expect(await find('never-sent')).toMatchObject({ status: 404, body: { error: { code: 'unknown_operation' } } });
  });

  it('is in progress during its call', async () => {
    const call = post('authorize', 'slow', order('tok_slow_2000'));
    await expect.poll(() => find('slow')).toMatchObject({ status: 409, body: { error: { code: 'in_progress' } } });
    await call;
    expect((await find('slow')).status).toBe(200);
  });
});

describe('the script of a card', () => {
  it('tok_declined and tok_capture_declined are refused, and nothing is captured', async () => {
    expect((await post('authorize', fresh('a'), order('tok_declined'))).body.error.declineCode).toBe('generic_decline');
    const id = await authorized('tok_capture_declined');
    const refused = await post(`${id}/capture`, fresh('c'), { amount: 1999 });
    expect([refused.status, refused.body.error.declineCode]).toEqual([402, 'generic_decline']);
    expect((await get(`/payments/${id}`)).body).toMatchObject({ status: 'authorized', captured: 0 });
    expect((await post(`${id}/void`, fresh('v'), {})).status).toBe(200);
  });

  it.each(['tok_fraud', 'tok_risk_99', 'tok_mastercard', 'tok_slow_', 'tok_flaky_x', 'tok_constructor', 'tok_'])(
    '%s is accepted by the processor',
    async (token) => {
      await captured(token);
    },
  );

  it('tok_auth_timeout_<N>: the first N calls of each key neither happen nor answer', async () => {
    for (const key of [fresh('t'), fresh('t')]) {
      const request = order('tok_auth_timeout_2');
      for (let n = 0; n < 2; n++) {
        await expect(post('authorize', key, request, AbortSignal.timeout(1000))).rejects.toThrow(/timeout/);
        expect((await find(key)).status).toBe(404);
        expect((await get(`/payments?reference=${request.reference}`)).body).toEqual([]);
      }
      expect((await post('authorize', key, request)).status).toBe(201);
      expect((await get(`/payments?reference=${request.reference}`)).body[0].calls).toHaveLength(3);
    }
  });

  it('tok_auth_lost_<N>: the first call happens, and the first N answers are lost', async () => {
    const request = order('tok_auth_lost_2');
    const key = fresh('l');
    await expect(post('authorize', key, request)).rejects.toThrow(/fetch failed/);
    expect((await find(key)).body.answer.status).toBe(201);
    const { answer, lost } = await untilAnswered(() => post('authorize', key, request));
    expect([answer.status, lost]).toEqual([201, 1]);
    expect((await get(`/payments?reference=${request.reference}`)).body).toHaveLength(1);
  });

  it('tok_capture_timeout_<N> and tok_capture_lost_<N> do the same to captures only', async () => {
    const silent = await authorized('tok_capture_timeout_1');
    const key = fresh('c');
    await expect(post(`${silent}/capture`, key, { amount: 1999 }, AbortSignal.timeout(1000))).rejects.toThrow(
      /timeout/,
    );
    expect((await get(`/payments/${silent}`)).body.captured).toBe(0);
    expect((await post(`${silent}/capture`, key, { amount: 1999 })).status).toBe(200);

    const forgetful = await authorized('tok_capture_lost_3');
    const same = fresh('c');
    const { answer, lost } = await untilAnswered(() => post(`${forgetful}/capture`, same, { amount: 1999 }));
    expect([answer.status, lost]).toEqual([200, 3]);
    expect((await get(`/payments/${forgetful}`)).body).toMatchObject({ captured: 1999, status: 'captured' });
  });

  it.each([
    ['tok_capture_down', 'capture', { amount: 1999 }],
    ['tok_void_down', 'void', {}],
  ])('%s: %s always fails with 500 and does nothing', async (token, call, body) => {
    const id = await authorized(token);
    for (let n = 0; n < 4; n++) expect((await post(`${id}/${call}`, `${id}/down`, body)).status).toBe(500);
    expect((await get(`/payments/${id}`)).body.status).toBe('authorized');
  });

  it('tok_refund_down: the refund always fails with 500, the capture does not', async () => {
    const id = await captured('tok_refund_down');
    for (let n = 0; n < 4; n++) expect((await post(`${id}/refund`, `${id}/r`, { amount: 1 })).status).toBe(500);
    expect((await get(`/payments/${id}`)).body).toMatchObject({ captured: 1999, refunded: 0 });
  });

  it('tok_flaky_<N>: each operation gets 503 N times before it happens', async () => {
    const request = order('tok_flaky_2');
    const key = fresh('f');
    const statuses = async (call: () => Promise<Answer>) => [
      (await call()).status,
      (await call()).status,
      (await call()).status,
    ];
    expect(await statuses(() => post('authorize', key, request))).toEqual([503, 503, 201]);
    const id = (await find(key)).body.answer.body.authorizationId;
    expect(await statuses(() => post(`${id}/capture`, `${key}/c`, { amount: 1999 }))).toEqual([503, 503, 200]);
    expect(await statuses(() => post(`${id}/void`, `${key}/v`, {}))).toEqual([503, 503, 409]);
    expect(await statuses(() => post(`${id}/refund`, `${key}/r`, { amount: 9 }))).toEqual([503, 503, 201]);
    expect((await get(`/payments/${id}`)).body).toMatchObject({ captured: 1999, refunded: 9 });
  });

  it('tok_slow_<MS>: every money call takes that long, and happens even if its caller disconnects', async () => {
    const started = performance.now();
    const id = await authorized('tok_slow_2000');
    expect(performance.now() - started).toBeGreaterThanOrEqual(1995);
    await expect(post(`${id}/capture`, 'gone', { amount: 1999 }, AbortSignal.timeout(500))).rejects.toThrow(/timeout/);
    expect((await get(`/payments/${id}`)).body.captured).toBe(0);
    await expect.poll(async () => (await get(`/payments/${id}`)).body.captured).toBe(1999);
  });
});
