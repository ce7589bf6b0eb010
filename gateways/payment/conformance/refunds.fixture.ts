import { expect, it } from 'vitest';
import { authorized, booksOf, captured, noAnswer, operationOn, refundOf, type Suite } from './provider.fixture.js';

/** Refunds of our books, and the undo of a capture. */
export function testRefunds(suite: Suite): void {
  const { refundPending, refundFails, refundFailsLate } = suite.provider.tokens;

  it('a refund is made once under its key, and the books name it as ours', async () => {
    const { gateway } = suite;
    const { card, id } = await captured(suite);
    const call = refundOf(card, id, 1200);
    expect(await gateway.findRefund(call)).toBeNull();
    const answer = await gateway.refund(call);
    expect(answer).toEqual({ kind: 'succeeded', providerReference: expect.any(String) });
    expect(await gateway.refund(call)).toEqual(answer);
    expect(await gateway.findRefund(call)).toEqual(answer);
    const { providerReference } = answer.kind === 'succeeded' ? answer : { providerReference: '' };
    const { refundId } = call;
    const booked = { providerReference, refundId, amount: 1200, status: 'succeeded', failure: null };
    expect(await booksOf(suite, id)).toMatchObject({ captured: 4200, refunded: 1200, refunds: [booked] });
  });

  it('fifty calls of one refund at once return the money once', async () => {
    const { gateway } = suite;
    const { card, id } = await captured(suite);
    const call = refundOf(card, id, 100);
    await Promise.all(Array.from({ length: 50 }, () => gateway.refund(call).catch(() => null)));
    expect(await gateway.refund(call)).toMatchObject({ kind: 'succeeded' });
    expect(await booksOf(suite, id)).toMatchObject({ refunded: 100, refunds: [{ amount: 100 }] });
  });

  it('several refunds return what is left and no more', async () => {
    const { gateway } = suite;
    const { card, id } = await captured(suite);
    expect(await gateway.refund(refundOf(card, id, 4000))).toMatchObject({ kind: 'succeeded' });
    const over = refundOf(card, id, 201);
    for (let n = 0; n < 2; n++) expect(await gateway.refund(over)).toEqual({ kind: 'over_refund' });
    expect(await gateway.refund(refundOf(card, id, 200))).toMatchObject({ kind: 'succeeded' });
    expect(await gateway.refund(refundOf(card, id, 1))).toEqual({ kind: 'over_refund' });
    expect(await booksOf(suite, id)).toMatchObject({ captured: 4200, refunded: 4200 });
  });

  it('a refund of money that was never captured fails, and returns nothing', async () => {
    const { gateway } = suite;
    const card = operationOn(suite.provider.tokens.good);
    const id = await authorized(suite, card);
    expect(await gateway.refund(refundOf(card, id, 100))).toMatchObject({ kind: 'failed', providerReference: null });
    expect(await booksOf(suite, id)).toMatchObject({ status: 'authorized', refunded: 0, refunds: [] });
  });

  it('a refund that the processor decides later is pending, and counts until then', async () => {
    const { gateway } = suite;
    const { card, id } = await captured(suite, refundPending);
    const call = refundOf(card, id, 4200);
    const answer = await gateway.refund(call);
    expect(answer).toMatchObject({ kind: 'pending', providerReference: expect.any(String) });
    expect(await gateway.findRefund(call)).toEqual(answer);
    expect(await booksOf(suite, id)).toMatchObject({ refunded: 4200, refunds: [{ status: 'pending', failure: null }] });
    expect(await gateway.refund(refundOf(card, id, 1))).toEqual({ kind: 'over_refund' });
    await expect.poll(() => gateway.findRefund(call)).toEqual({ ...answer, kind: 'succeeded' });
    expect(await booksOf(suite, id)).toMatchObject({ refunded: 4200, refunds: [{ status: 'succeeded' }] });
  });

  it('a refund that fails at once returns nothing, and the next attempt is a refund of its own', async () => {
    const { gateway } = suite;
    const { card, id } = await captured(suite, refundFails);
    const call = refundOf(card, id, 4200);
    const answer = await gateway.refund(call);
    expect(answer).toMatchObject({ kind: 'failed', code: expect.any(String), providerReference: expect.any(String) });
    expect(await gateway.findRefund(call)).toEqual(answer);
    expect(await booksOf(suite, id)).toMatchObject({
      ...{ captured: 4200, refunded: 0 },
      refunds: [{ refundId: call.refundId, status: 'failed', failure: expect.any(String) }],
    });
    const next = await gateway.refund({ ...call, attempt: 1 });
    expect(next).toMatchObject({ kind: 'failed' });
    expect(next).not.toEqual(answer);
  });

  it('a refund that fails after it succeeded is failed then, and its money can be refunded again', async () => {
    const { gateway } = suite;
    const { card, id } = await captured(suite, refundFailsLate);
    const call = refundOf(card, id, 4200);
    expect(await gateway.refund(call)).toMatchObject({ kind: 'succeeded' });
    await expect.poll(() => gateway.findRefund(call)).toMatchObject({ kind: 'failed', code: expect.any(String) });
    expect(await booksOf(suite, id)).toMatchObject({ captured: 4200, refunded: 0, refunds: [{ status: 'failed' }] });
    expect(await gateway.refund(refundOf(card, id, 4200))).toMatchObject({ kind: 'succeeded' });
  });

  it('a refund during a dispute is refused, and possible again once the dispute is won', async () => {
    const { gateway, byHand } = suite;
    const { card, id } = await captured(suite);
    const dispute = await byHand.dispute(id, 4200);
    expect(await gateway.refund(refundOf(card, id, 100))).toEqual({ kind: 'disputed' });
    expect(await booksOf(suite, id)).toMatchObject({ refundable: false, refunded: 0, refunds: [] });
    await byHand.close(dispute, 'won');
    expect(await gateway.refund(refundOf(card, id, 100))).toMatchObject({ kind: 'succeeded' });
  });

  it('a refund whose answer was lost is found, and its repetition returns nothing more', async () => {
    const { gateway, tap } = suite;
    const { card, id } = await captured(suite);
    const call = refundOf(card, id, 1000);
    tap.loseAnswers(1);
    await expect(gateway.refund(call)).rejects.toMatchObject(noAnswer);
    const found = await gateway.findRefund(call);
    expect(found).toMatchObject({ kind: 'succeeded' });
    expect(await gateway.refund(call)).toEqual(found);
    expect(await booksOf(suite, id)).toMatchObject({ refunded: 1000 });
  });

  it('a refund that never arrived is not found, and its repetition makes it', async () => {
    const { gateway, tap } = suite;
    const { card, id } = await captured(suite);
    const call = refundOf(card, id, 1000);
    tap.loseRequests(1);
    await expect(gateway.refund(call)).rejects.toMatchObject(noAnswer);
    expect(await gateway.findRefund(call)).toBeNull();
    expect(await booksOf(suite, id)).toMatchObject({ refunded: 0, refunds: [] });
    expect(await gateway.refund(call)).toMatchObject({ kind: 'succeeded' });
  });

  it('the undo of a capture is no refund of ours, and is done once although its answer was lost', async () => {
    const { gateway, tap } = suite;
    const { card, id } = await captured(suite);
    tap.loseAnswers(1);
    await expect(gateway.undoCapture(card, id, 4200)).rejects.toMatchObject(noAnswer);
    expect(await gateway.undoCapture(card, id, 4200)).toEqual({ kind: 'returned' });
    expect(await booksOf(suite, id)).toMatchObject({ refunded: 4200, refunds: [{ refundId: null, amount: 4200 }] });
  });

  it('the undo of a capture returns no more than is left', async () => {
    const { gateway, byHand } = suite;
    const { card, id } = await captured(suite);
    await byHand.refund(id, 1000);
    expect(await gateway.undoCapture(card, id, 4200)).toEqual({ kind: 'over_refund' });
    expect(await booksOf(suite, id)).toMatchObject({ refunded: 1000 });
  });

  it('the undo of a capture that the processor cannot make stays in doubt', async () => {
    const { card, id } = await captured(suite, refundFails);
    for (let n = 0; n < 2; n++) await expect(suite.gateway.undoCapture(card, id, 4200)).rejects.toThrow();
    expect(await booksOf(suite, id)).toMatchObject({ captured: 4200, refunded: 0 });
  });
}
