import { expect, it } from 'vitest';
import type { CardOperation } from '../../../domain/purchase/steps.js';
import type { StoreCardAnswer } from '../gateway.js';
import {
  authorized,
  booksOf,
  cardToStore,
  memoryCustomer,
  memoryIds,
  noAnswer,
  operationOn,
  requestsOf,
  type Suite,
} from './provider.fixture.js';

function storedOf(answer: StoreCardAnswer) {
  if (answer.kind !== 'stored') throw new Error(`not stored: ${answer.declineCode}`);
  return answer.card;
}

/** A payment with a stored card. */
function renewal({ token, customer }: ReturnType<typeof storedOf>, more: Partial<CardOperation> = {}): CardOperation {
  return operationOn(token, { stored: { customer }, ...more });
}

/** Cards that are kept for later payments. */
export function testCards(suite: Suite): void {
  const { good, declined, needsHolder } = suite.provider.tokens;
  const { storeCard: storeRequests = 1 } = suite.provider.requests ?? {};
  const store = async (token: string) => storedOf(await suite.gateway.storeCard(cardToStore(token), memoryCustomer()));

  it('a stored card pays with its holder there, and then again and again without', async () => {
    const { gateway } = suite;
    const card = await store(good);
    for (const more of [{}, { merchantInitiated: true }, { merchantInitiated: true }] as const) {
      const operation = renewal(card, more);
      const id = await authorized(suite, operation);
      expect(await gateway.capture(operation, id)).toEqual({ kind: 'captured' });
      expect(await booksOf(suite, id)).toMatchObject({ status: 'captured', captured: 4200 });
    }
  });

  it('a token of a card in hand is stored, and its card pays again', async () => {
    const card = await store('tok_visa');
    for (let n = 0; n < 2; n++) await authorized(suite, renewal(card, { merchantInitiated: true }));
  });

  it('the same call stores a card once, for one customer', async () => {
    const { gateway } = suite;
    const call = cardToStore(good);
    const ids = memoryCustomer();
    const first = storedOf(await gateway.storeCard(call, ids));
    expect(storedOf(await gateway.storeCard(call, ids))).toEqual(first);
    const backup = storedOf(await gateway.storeCard({ ...call, card: 'backup' }, ids));
    expect(backup.customer).toBe(first.customer);
    expect(ids.remembered.length).toBe(first.customer === null ? 0 : 1);
  });

  it('an answer that is lost leaves one customer and one card', async () => {
    const { gateway, tap } = suite;
    for (let lost = 0; lost < storeRequests; lost++) {
      const call = cardToStore(good);
      tap.loseAnswers(1, lost);
      // The answer about the customer is lost before anybody has stored its id.
      const ids = memoryCustomer();
      await expect(gateway.storeCard(call, ids)).rejects.toMatchObject(noAnswer);
      const stored = storedOf(await gateway.storeCard(call, ids));
      expect(storedOf(await gateway.storeCard(call, memoryCustomer()))).toEqual(stored);
      expect(await requestsOf(suite, () => gateway.storeCard(call, ids))).toBeLessThanOrEqual(storeRequests);
    }
  });

  it('a used token is refused for good, and makes no customer', async () => {
    const { gateway } = suite;
    const ids = memoryCustomer();
    for (let n = 0; n < 2; n++)
      expect(await gateway.storeCard(cardToStore('tok_used'), ids)).toMatchObject({
        ...{ kind: 'declined', code: 'payment_declined', declineCode: expect.stringMatching(/used/) },
      });
    expect(ids.remembered).toEqual([]);
  });

  it('a stored card that the bank refuses is refused at each payment', async () => {
    const card = await store(declined.token);
    for (const more of [{}, { merchantInitiated: true }] as const)
      expect(await suite.gateway.authorize(renewal(card, more), memoryIds())).toMatchObject({
        ...{ kind: 'declined', declineCode: declined.declineCode },
      });
  });

  it.runIf(needsHolder !== undefined)('a card whose bank wants to see its holder is declined for that', async () => {
    const card = await store(needsHolder ?? '');
    for (const more of [{}, { merchantInitiated: true }] as const)
      expect(await suite.gateway.authorize(renewal(card, more), memoryIds())).toMatchObject({
        ...{ kind: 'declined', declineCode: 'authentication_required' },
      });
  });
}
