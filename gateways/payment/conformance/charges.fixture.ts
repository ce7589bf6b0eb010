import { expect, it } from 'vitest';
import {
  authorized,
  booksOf,
  idOf,
  memoryIds,
  noAnswer,
  operationOn,
  requestsOf,
  type Suite,
} from './provider.fixture.js';

/** Authorizing, capturing, voiding and cancelling. */
export function testCharges(suite: Suite): void {
  const { good, declined, insufficientFunds, declinedAtCapture, slow } = suite.provider.tokens;
  const { authorize: authorizeRequests = 1 } = suite.provider.requests ?? {};

  it('authorizes, captures and returns money, and the books say so', async () => {
    const { gateway } = suite;
    const card = operationOn(good);
    const id = await authorized(suite, card);
    expect(await booksOf(suite, id)).toMatchObject({ status: 'authorized', amount: 4200, captured: 0, voided: false });
    expect(await gateway.findCapture(card, id)).toBeNull();
    expect(await gateway.capture(card, id)).toEqual({ kind: 'captured' });
    expect(await gateway.findCapture(card, id)).toEqual({ kind: 'captured' });
    expect(await booksOf(suite, id)).toMatchObject({
      ...{ authorizationId: id, status: 'captured', captured: 4200, refunded: 0 },
      ...{ refundable: true, refunds: [], disputes: [] },
    });
    expect(await gateway.undoCapture(card, id, 4200)).toEqual({ kind: 'returned' });
    expect(await booksOf(suite, id)).toMatchObject({ captured: 4200, refunded: 4200 });
  });

  it('does a repeated call once, and gives it the same answer', async () => {
    const { gateway } = suite;
    const card = operationOn(good);
    const ids = memoryIds();
    const id = await authorized(suite, card, ids);
    expect(await authorized(suite, card, ids)).toBe(id);
    for (let n = 0; n < 2; n++) expect(await gateway.capture(card, id)).toEqual({ kind: 'captured' });
    for (let n = 0; n < 2; n++) expect(await gateway.undoCapture(card, id, 4200)).toEqual({ kind: 'returned' });
    expect(await booksOf(suite, id)).toMatchObject({ captured: 4200, refunded: 4200 });
  });

  it('makes fifty concurrent calls of one operation once', async () => {
    const card = operationOn(good);
    const ids = memoryIds();
    const made = await Promise.all(Array.from({ length: 50 }, () => authorized(suite, card, ids).catch(() => null)));
    expect(new Set(made.filter((id) => id !== null)).size).toBe(1);
    expect(await authorized(suite, card, ids)).toBe(made.find((id) => id !== null));
  });

  it('charges each card of a payment on its own', async () => {
    const card = operationOn(good);
    const backup = { ...card, card: 'backup' } as const;
    expect(await authorized(suite, backup)).not.toBe(await authorized(suite, card));
  });

  it('sends one request for a call, also when the connection breaks', async () => {
    const { gateway, tap } = suite;
    const card = operationOn(good);
    const id = await authorized(suite, card);
    expect(await requestsOf(suite, () => authorized(suite, operationOn(good)))).toBe(authorizeRequests);
    expect(await requestsOf(suite, () => gateway.read(id))).toBe(1);
    tap.loseAnswers(100);
    expect(await requestsOf(suite, () => authorized(suite, operationOn(good)))).toBe(1);
    expect(await requestsOf(suite, () => gateway.capture(card, id))).toBe(1);
    tap.loseAnswers(0);
  });

  it('finds what happened although the answer was lost', async () => {
    const { gateway, tap } = suite;
    const card = operationOn(good);
    const ids = memoryIds();
    // Of several requests the last one moves money.
    tap.loseAnswers(1, authorizeRequests - 1);
    await expect(gateway.authorize(card, ids)).rejects.toMatchObject(noAnswer);
    const found = await gateway.findAuthorization(card, ids.known);
    const id = idOf(found);
    expect(await authorized(suite, card, ids)).toBe(id);
    tap.loseAnswers(1);
    await expect(gateway.capture(card, id)).rejects.toMatchObject(noAnswer);
    expect(await gateway.findCapture(card, id)).toEqual({ kind: 'captured' });
    expect(await gateway.capture(card, id)).toEqual({ kind: 'captured' });
    expect(await booksOf(suite, id)).toMatchObject({ captured: 4200, refunded: 0 });
  });

  it('finds nothing of a call that never arrived, and the repeated call takes effect', async () => {
    const { gateway, tap } = suite;
    const card = operationOn(good);
    const ids = memoryIds();
    tap.loseRequests(1);
    await expect(gateway.authorize(card, ids)).rejects.toMatchObject(noAnswer);
    expect(await gateway.findAuthorization(card, ids.known)).toBeNull();
    const id = await authorized(suite, card, ids);
    tap.loseRequests(1);
    await expect(gateway.capture(card, id)).rejects.toMatchObject(noAnswer);
    expect(await gateway.findCapture(card, id)).toBeNull();
    expect(await gateway.capture(card, id)).toEqual({ kind: 'captured' });
  });

  it('a call that is slower than its deadline takes effect once, however often it is repeated', async () => {
    const { gateway } = suite;
    const card = operationOn(slow);
    const ids = memoryIds();
    await expect(gateway.authorize(card, ids, { timeoutMs: 400 })).rejects.toMatchObject(noAnswer);
    const repeated = () => gateway.authorize(card, ids).catch(() => null);
    await expect.poll(repeated).toMatchObject({ kind: 'authorized' });
    const id = idOf(await repeated());
    await expect(gateway.capture(card, id, { timeoutMs: 400 })).rejects.toMatchObject(noAnswer);
    await expect.poll(() => gateway.capture(card, id).catch(() => null)).toEqual({ kind: 'captured' });
    expect(idOf(await gateway.findAuthorization(card, ids.known))).toBe(id);
    expect(await booksOf(suite, id)).toMatchObject({ captured: 4200, refunded: 0 });
  });

  it.each([
    [declined.token, 'payment_declined', declined.declineCode],
    [insufficientFunds, 'insufficient_funds', 'insufficient_funds'],
  ])('a refusal of %s is %s, in a look-up and at a repetition too', async (token, code, declineCode) => {
    const { gateway } = suite;
    const card = operationOn(token);
    const ids = memoryIds();
    const refused = await gateway.authorize(card, ids);
    expect(refused).toMatchObject({ kind: 'declined', code, declineCode });
    expect(await gateway.findAuthorization(card, ids.known)).toEqual(refused);
    expect(await gateway.authorize(card, ids)).toEqual(refused);
  });

  it.each(suite.provider.rejected)(
    '%s is refused for good, with the code of the processor',
    async (_what, of, code) => {
      const { gateway } = suite;
      const card = operationOn(good, of);
      const ids = memoryIds();
      const refused = { kind: 'declined', code: 'payment_declined', declineCode: code };
      for (let n = 0; n < 2; n++) expect(await gateway.authorize(card, ids)).toEqual(refused);
      // Nothing was begun that could still take money.
      expect(ids.known).toBeNull();
    },
  );

  it('a refusal at the capture is one, and leaves an authorization that can be voided', async () => {
    const { gateway } = suite;
    const card = operationOn(declinedAtCapture);
    const id = await authorized(suite, card);
    expect(await gateway.capture(card, id)).toMatchObject({ kind: 'declined' });
    expect(await gateway.void(card, id)).toEqual({ kind: 'voided' });
  });

  it('voids for good: a later capture is refused', async () => {
    const { gateway } = suite;
    const card = operationOn(good);
    const id = await authorized(suite, card);
    for (let n = 0; n < 2; n++) expect(await gateway.void(card, id)).toEqual({ kind: 'voided' });
    expect(await gateway.capture(card, id)).toMatchObject({ kind: 'declined', code: 'payment_declined' });
    expect(await booksOf(suite, id)).toMatchObject({ status: 'voided', captured: 0, voided: true });
  });

  it('what was captured in the processor’s own pages counts as captured', async () => {
    const card = operationOn(good);
    const id = await authorized(suite, card);
    await suite.byHand.capture(id, card.amount);
    expect(await suite.gateway.capture(card, id)).toEqual({ kind: 'captured' });
    expect(await booksOf(suite, id)).toMatchObject({ status: 'captured', captured: 4200 });
  });

  it('does not void what is captured', async () => {
    const { gateway } = suite;
    const card = operationOn(good);
    const id = await authorized(suite, card);
    await gateway.capture(card, id);
    expect(await gateway.void(card, id)).toEqual({ kind: 'captured' });
  });

  it('a doubtful operation that was cancelled takes no money afterwards', async () => {
    const { gateway, tap } = suite;
    for (const lose of [tap.loseRequests, tap.loseAnswers]) {
      const card = operationOn(good);
      const ids = memoryIds();
      lose(1, authorizeRequests - 1);
      await expect(gateway.authorize(card, ids)).rejects.toMatchObject(noAnswer);
      ids.givenUp = true;
      expect(gateway.cancel !== undefined).toBe(suite.provider.cancels);
      if (gateway.cancel) {
        for (let n = 0; n < 2; n++) expect(await gateway.cancel(card, ids.known)).toEqual({ kind: 'voided' });
      } else {
        // Without such a call its repetition shows whether there is anything to void.
        expect(await gateway.void(card, await authorized(suite, card, ids))).toEqual({ kind: 'voided' });
      }
      const late = await gateway.authorize(card, ids).catch(() => null);
      const id = late?.kind === 'authorized' ? late.authorizationId : ids.known;
      if (id !== null) {
        expect(await gateway.capture(card, id)).toMatchObject({ kind: 'declined' });
        expect(await booksOf(suite, id)).toMatchObject({ status: 'voided', captured: 0 });
      }
    }
  });

  it.runIf(suite.provider.cancels)('a captured operation is not cancelled', async () => {
    const { gateway } = suite;
    const card = operationOn(good);
    const ids = memoryIds();
    await gateway.capture(card, await authorized(suite, card, ids));
    expect(await gateway.cancel?.(card, ids.known)).toEqual({ kind: 'captured' });
  });
}
