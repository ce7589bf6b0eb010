/** Refunds and disputes at the card processor, over HTTP: those of calls, and those made by hand. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProcessorClient, startProcessor } from './processor.fixture.js';

let processor: ProcessorClient;
beforeAll(async () => {
  processor = await startProcessor();
});
afterAll(() => processor.close());

const refund = (id: string, key: string, amount: number) => processor.post(`${id}/refund`, key, { amount });
const present = async (key: string) => (await processor.find(key)).body.answer.body;

describe('a refund', () => {
  it('has an id, a status and the key of its call in the books', async () => {
    const id = await processor.captured('tok_visa');
    const key = processor.fresh('r');
    const { body } = await refund(id, key, 500);
    expect(body).toEqual({ authorizationId: id, status: 'refunded', refundId: body.refundId });
    expect(await processor.books(id)).toMatchObject({
      refunded: 500,
      refundable: true,
      refunds: [{ refundId: body.refundId, amount: 500, status: 'succeeded', failure: null, idempotencyKey: key }],
      disputes: [],
    });
  });

  it('tok_refund_pending_<MS>: is pending for so long, counts as refunded, and then succeeds', async () => {
    const id = await processor.captured('tok_refund_pending_1500');
    const key = processor.fresh('r');
    const started = performance.now();
    const { status, body } = await refund(id, key, 1999);
    expect([status, body.status]).toEqual([201, 'pending']);
    expect((await present(key)).status).toBe('pending');
    expect(await processor.books(id)).toMatchObject({ refunded: 1999, refunds: [{ status: 'pending' }] });
    expect((await refund(id, processor.fresh('r'), 1)).body.error.code).toBe('over_refund');
    await expect.poll(() => present(key)).toEqual({ ...body, status: 'refunded' });
    expect(performance.now() - started).toBeGreaterThanOrEqual(1495);
    expect(await processor.books(id)).toMatchObject({ refunded: 1999, refunds: [{ status: 'succeeded' }] });
    expect((await refund(id, key, 1999)).body).toEqual({ ...body, status: 'refunded' });
  });

  it('tok_refund_fails_late_<MS>: succeeds, fails after so long, and can be made again', async () => {
    const id = await processor.captured('tok_refund_fails_late_1000');
    const key = processor.fresh('r');
    const { body } = await refund(id, key, 1999);
    expect(body.status).toBe('refunded');
    expect((await refund(id, processor.fresh('r'), 1)).body.error.code).toBe('over_refund');
    await expect.poll(() => present(key)).toEqual({ ...body, status: 'failed', failure: 'expired_or_canceled_card' });
    expect(await processor.books(id)).toMatchObject({
      captured: 1999,
      refunded: 0,
      refunds: [{ status: 'failed', failure: 'expired_or_canceled_card' }],
    });
    expect((await refund(id, processor.fresh('r'), 1999)).status).toBe(201);
  });

  it('tok_refund_fails: fails at once, and returns nothing', async () => {
    const id = await processor.captured('tok_refund_fails');
    const { status, body } = await refund(id, processor.fresh('r'), 5);
    expect([status, body.status, body.failure]).toEqual([201, 'failed', 'expired_or_canceled_card']);
    expect(await processor.books(id)).toMatchObject({ refunded: 0, refunds: [{ status: 'failed' }] });
  });

  it('by hand needs no key, counts, and is no call', async () => {
    const id = await processor.captured('tok_refund_down');
    const { status, body } = await processor.byHand(`/payments/${id}/refunds`, { amount: 600 });
    expect([status, body.authorizationId, body.status]).toEqual([201, id, 'refunded']);
    const books = await processor.books(id);
    expect(books).toMatchObject({ refunded: 600, refunds: [{ refundId: body.refundId, idempotencyKey: null }] });
    expect(books.calls.map(({ kind }: { kind: string }) => kind)).toEqual(['authorize', 'capture']);
    expect((await processor.byHand(`/payments/${id}/refunds`, { amount: 1400 })).body.error.code).toBe('over_refund');
  });

  it('by hand fails late as the card says', async () => {
    const id = await processor.captured('tok_refund_fails_late_50');
    await processor.byHand(`/payments/${id}/refunds`, { amount: 600 });
    await expect.poll(() => processor.books(id)).toMatchObject({ refunded: 0, refunds: [{ status: 'failed' }] });
  });

  it('50 at once by hand return at most what was captured', async () => {
    const id = await processor.captured('tok_visa');
    const all = await Promise.all(
      Array.from({ length: 50 }, () => processor.byHand(`/payments/${id}/refunds`, { amount: 100 })),
    );
    expect(all.filter(({ status }) => status === 201)).toHaveLength(19);
    expect((await processor.books(id)).refunded).toBe(1900);
  });
});

describe('a token that was used before', () => {
  it('is a client error, and an attempt that the books list as declined', async () => {
    const order = processor.order('tok_used');
    const key = processor.fresh('a');
    const refused = await processor.post('authorize', key, order);
    expect(refused.status).toBe(400);
    expect(refused.body.error).toMatchObject({ code: 'token_used', declineCode: 'token_used' });
    expect((await processor.find(key)).body.answer).toEqual(refused);
    const { body } = await processor.get(`/payments?reference=${order.reference}`);
    expect(body).toMatchObject([{ status: 'declined', captured: 0 }]);
  });
});

describe('a dispute', () => {
  const open = (id: string, body: object) => processor.byHand(`/payments/${id}/disputes`, body);
  const close = (disputeId: string, outcome: string) => processor.byHand(`/disputes/${disputeId}/close`, { outcome });

  it('is about what is left of the payment, and freezes refunds until it is won', async () => {
    const id = await processor.captured('tok_visa');
    await refund(id, processor.fresh('r'), 500);
    const { status, body } = await open(id, { reason: 'fraudulent' });
    expect(status).toBe(201);
    expect(body).toMatchObject({ authorizationId: id, amount: 1499, reason: 'fraudulent', status: 'open' });
    expect(body).toMatchObject({ refundable: false, closedAt: null });
    const frozen = await refund(id, processor.fresh('r'), 1);
    expect([frozen.status, frozen.body.error.code]).toEqual([409, 'disputed']);
    expect((await processor.byHand(`/payments/${id}/refunds`, { amount: 1 })).body.error.code).toBe('disputed');
    expect(await processor.books(id)).toMatchObject({ refunded: 500, withdrawn: 1499, refundable: false });

    const won = await close(body.disputeId, 'won');
    expect([won.status, won.body.status, won.body.refundable]).toEqual([200, 'won', true]);
    expect(await processor.books(id)).toMatchObject({ withdrawn: 0, refundable: true, disputes: [{ status: 'won' }] });
    expect((await refund(id, processor.fresh('r'), 1499)).status).toBe(201);
  });

  it('that is lost keeps its amount, and the rest can be refunded', async () => {
    const id = await processor.captured('tok_visa');
    const { body } = await open(id, { amount: 1500, reason: 'product_not_received' });
    await close(body.disputeId, 'lost');
    expect(await processor.books(id)).toMatchObject({
      captured: 1999,
      refunded: 0,
      withdrawn: 1500,
      disputes: [{ id: body.disputeId, amount: 1500, status: 'lost', refundable: false }],
    });
    expect((await refund(id, processor.fresh('r'), 500)).body.error.code).toBe('over_refund');
    expect((await refund(id, processor.fresh('r'), 499)).status).toBe(201);
  });

  it('is about the whole payment when nothing is left of it', async () => {
    const id = await processor.captured('tok_visa');
    await refund(id, processor.fresh('r'), 1999);
    expect((await open(id, { reason: 'fraudulent' })).body.amount).toBe(1999);
    expect(await processor.books(id)).toMatchObject({ refunded: 1999, withdrawn: 0 });
  });

  it('never takes more than what is left', async () => {
    const id = await processor.captured('tok_visa');
    await refund(id, processor.fresh('r'), 1500);
    await open(id, { amount: 1999, reason: 'fraudulent' });
    expect(await processor.books(id)).toMatchObject({ refunded: 1500, withdrawn: 499 });
  });

  it('that is an inquiry moves no money, leaves refunds possible, and ends as closed', async () => {
    const id = await processor.captured('tok_visa');
    const { body } = await open(id, { reason: 'general', inquiry: true });
    expect(body).toMatchObject({ status: 'inquiry', refundable: true });
    expect((await refund(id, processor.fresh('r'), 5)).status).toBe(201);
    expect(await processor.books(id)).toMatchObject({ withdrawn: 0, refundable: true });
    expect((await close(body.disputeId, 'won')).body.status).toBe('closed');
    expect((await close(body.disputeId, 'closed')).status).toBe(200);
  });

  it('that is open and refundable leaves the money to be refunded', async () => {
    const id = await processor.captured('tok_visa');
    await open(id, { reason: 'fraudulent', refundable: true });
    expect((await refund(id, processor.fresh('r'), 1999)).status).toBe(201);
  });

  it('is closed once, with the same outcome as often as asked', async () => {
    const id = await processor.captured('tok_visa');
    const { body } = await open(id, { reason: 'fraudulent' });
    expect((await close(body.disputeId, 'closed')).body.error.code).toBe('not_an_inquiry');
    const lost = await close(body.disputeId, 'lost');
    expect(await close(body.disputeId, 'lost')).toEqual(lost);
    const other = await close(body.disputeId, 'won');
    expect([other.status, other.body.error.code]).toEqual([409, 'already_closed']);
  });

  it('needs a captured payment', async () => {
    const refused = await open(await processor.authorized('tok_visa'), { reason: 'fraudulent' });
    expect([refused.status, refused.body.error.code]).toEqual([409, 'not_captured']);
  });
});

describe('an authorization by hand', () => {
  it('is listed under its reference, without a call', async () => {
    const order = processor.order('tok_visa');
    const { status, body } = await processor.byHand('/payments/authorizations', order);
    expect(status).toBe(201);
    expect((await processor.get(`/payments?reference=${order.reference}`)).body).toMatchObject([
      { authorizationId: body.authorizationId, ...order, status: 'authorized', calls: [] },
    ]);
    const key = processor.fresh('c');
    expect((await processor.post(`${body.authorizationId}/capture`, key, { amount: 1999 })).status).toBe(200);
  });

  it('is declined as the card says', async () => {
    const { status, body } = await processor.byHand('/payments/authorizations', processor.order('tok_declined'));
    expect([status, body.error.declineCode]).toEqual([402, 'generic_decline']);
  });
});

describe('by hand', () => {
  it.each([
    ['/payments/auth_unknown/refunds', { amount: 1 }, 404, 'unknown_authorization'],
    ['/payments/auth_unknown/disputes', { reason: 'fraudulent' }, 404, 'unknown_authorization'],
    ['/disputes/dp_unknown/close', { outcome: 'won' }, 404, 'unknown_dispute'],
    ['/payments/auth_unknown/refunds', { amount: 0 }, 422, 'validation_failed'],
    ['/payments/auth_unknown/refunds', {}, 422, 'validation_failed'],
    ['/payments/auth_unknown/disputes', {}, 422, 'validation_failed'],
    ['/payments/auth_unknown/disputes', { reason: ' ' }, 422, 'validation_failed'],
    ['/payments/auth_unknown/disputes', { reason: 'x', amount: 1.5 }, 422, 'validation_failed'],
    ['/payments/auth_unknown/disputes', { reason: 'x', inquiry: 'yes' }, 422, 'validation_failed'],
    ['/disputes/dp_unknown/close', { outcome: 'open' }, 422, 'validation_failed'],
    [
      '/payments/authorizations',
      { token: 'visa', amount: 1, currency: 'USD', reference: 'r' },
      422,
      'validation_failed',
    ],
  ])('%s with %j gives %i %s', async (path, body, status, code) => {
    const answer = await processor.byHand(path, body);
    expect([answer.status, answer.body.error.code]).toEqual([status, code]);
  });
});
