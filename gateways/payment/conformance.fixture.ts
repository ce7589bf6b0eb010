/**
 * What every client of a card processor promises. A provider's test runs the suite against its processor, or against a
 * stand-in that speaks the processor's wire, through a tap that counts requests and loses answers.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuthorizeAnswer } from '../../domain/payments/answers.js';
import type { CardOperation } from '../../domain/purchase/steps.js';
import type { PaymentGateway, ProviderIds } from './gateway.js';
import { describeRefunds } from './refund-conformance.fixture.js';
import { openTap, type Tap } from './tap.fixture.js';

export interface Provider {
  /** The processor, or what stands in for it. */
  start(): Promise<{ readonly url: string; stop(): Promise<void> }>;
  /** Its client. Calls reach the processor through `url`. */
  connect(url: string): PaymentGateway | Promise<PaymentGateway>;
  /** Whether it has `cancel`. */
  readonly cancels: boolean;
  readonly tokens: {
    readonly good: string;
    readonly declined: { readonly token: string; readonly declineCode: string };
    readonly insufficientFunds: string;
    readonly declinedAtCapture: string;
  };
  /** Requests that one call takes; default 1. */
  readonly requests?: { readonly authorize: number };
  /** An answer that rejects the request for good, as the processor gives it, and its code. */
  readonly finalError: { readonly status: number; readonly body: string; readonly code: string };
}

/** The ids of one operation, kept in memory. */
export function memoryIds(): ProviderIds & { givenUp: boolean } {
  let known: string | null = null;
  return {
    givenUp: false,
    get known() {
      return known;
    },
    async remember(id) {
      if (this.givenUp) throw new Error('the card was given up');
      known ??= id;
    },
  };
}

export function describeProvider(name: string, provider: Provider): void {
  describe(`the ${name} gateway`, () => {
    let processor: Awaited<ReturnType<Provider['start']>>;
    let tap: Tap;
    let gateway: PaymentGateway;

    beforeAll(async () => {
      processor = await provider.start();
      tap = await openTap(processor.url);
      gateway = await provider.connect(tap.url);
    }, 60_000);
    afterAll(async () => {
      await gateway.close();
      await tap.close();
      await processor.stop();
    });

    const { good, declined, insufficientFunds, declinedAtCapture } = provider.tokens;
    const started = new Date(Date.now() - 1000).toISOString();
    const noAnswer = { name: 'GatewayFault', fault: 'no_answer' };

    async function authorized(card: CardOperation, ids = memoryIds()): Promise<string> {
      return idOf(await gateway.authorize(card, ids));
    }

    async function requestsOf(call: () => Promise<unknown>): Promise<number> {
      const before = tap.requests();
      await call().catch(() => undefined);
      return tap.requests() - before;
    }

    /** The authorization in the books; fails if it has none. */
    async function booksOf(authorizationId: string) {
      const books = await gateway.read(authorizationId);
      if (books === null) throw new Error(`no books of ${authorizationId}`);
      return books;
    }

    it('authorizes, captures and returns money, and the books say so', async () => {
      const card = operationOn(good);
      const id = await authorized(card);
      expect(await booksOf(id)).toMatchObject({ status: 'authorized', amount: 4200, captured: 0, voided: false });
      expect(await gateway.findCapture(card, id)).toBeNull();
      expect(await gateway.capture(card, id)).toEqual({ kind: 'captured' });
      expect(await gateway.findCapture(card, id)).toEqual({ kind: 'captured' });
      expect(await booksOf(id)).toMatchObject({
        ...{ authorizationId: id, status: 'captured', captured: 4200, refunded: 0 },
        ...{ refundable: true, refunds: [], disputes: [] },
      });
      expect(await gateway.undoCapture(card, id, 4200)).toEqual({ kind: 'returned' });
      expect(await booksOf(id)).toMatchObject({ captured: 4200, refunded: 4200 });
    });

    it('does a repeated call once, and gives it the same answer', async () => {
      const card = operationOn(good);
      const ids = memoryIds();
      const id = await authorized(card, ids);
      expect(await authorized(card, ids)).toBe(id);
      for (let n = 0; n < 2; n++) expect(await gateway.capture(card, id)).toEqual({ kind: 'captured' });
      for (let n = 0; n < 2; n++) expect(await gateway.undoCapture(card, id, 4200)).toEqual({ kind: 'returned' });
      expect(await booksOf(id)).toMatchObject({ captured: 4200, refunded: 4200 });
    });

    it('makes fifty concurrent calls of one operation once', async () => {
      const card = operationOn(good);
      const ids = memoryIds();
      const made = await Promise.all(Array.from({ length: 50 }, () => authorized(card, ids).catch(() => null)));
      expect(new Set(made.filter((id) => id !== null)).size).toBe(1);
      expect(await authorized(card, ids)).toBe(made.find((id) => id !== null));
    });

    it('charges each card of a payment on its own', async () => {
      const card = operationOn(good);
      const backup = { ...card, card: 'backup' } as const;
      expect(await authorized(backup)).not.toBe(await authorized(card));
    });

    it('sends one request for a call, also when the connection breaks', async () => {
      const card = operationOn(good);
      const { authorize = 1 } = provider.requests ?? {};
      const id = await authorized(card);
      expect(await requestsOf(() => authorized(operationOn(good)))).toBe(authorize);
      expect(await requestsOf(() => gateway.read(id))).toBe(1);
      tap.loseAnswers(100);
      expect(await requestsOf(() => authorized(operationOn(good)))).toBe(1);
      expect(await requestsOf(() => gateway.capture(card, id))).toBe(1);
      tap.loseAnswers(0);
    });

    it('finds what happened although the answer was lost', async () => {
      const card = operationOn(good);
      const ids = memoryIds();
      // Of several requests the last one moves money.
      tap.loseAnswers(1, (provider.requests?.authorize ?? 1) - 1);
      await expect(gateway.authorize(card, ids)).rejects.toMatchObject(noAnswer);
      const found = await gateway.findAuthorization(card, ids.known);
      const id = idOf(found);
      expect(await authorized(card, ids)).toBe(id);
      tap.loseAnswers(1);
      await expect(gateway.capture(card, id)).rejects.toMatchObject(noAnswer);
      expect(await gateway.findCapture(card, id)).toEqual({ kind: 'captured' });
      expect(await gateway.capture(card, id)).toEqual({ kind: 'captured' });
      expect(await booksOf(id)).toMatchObject({ captured: 4200, refunded: 0 });
    });

    it('finds nothing of a call that never arrived, and the repeated call takes effect', async () => {
      const card = operationOn(good);
      const ids = memoryIds();
      tap.loseRequests(1);
      await expect(gateway.authorize(card, ids)).rejects.toMatchObject(noAnswer);
      expect(await gateway.findAuthorization(card, ids.known)).toBeNull();
      const id = await authorized(card, ids);
      tap.loseRequests(1);
      await expect(gateway.capture(card, id)).rejects.toMatchObject(noAnswer);
      expect(await gateway.findCapture(card, id)).toBeNull();
      expect(await gateway.capture(card, id)).toEqual({ kind: 'captured' });
    });

    it.each([
      [declined.token, 'payment_declined', declined.declineCode],
      [insufficientFunds, 'insufficient_funds', 'insufficient_funds'],
    ])('a refusal of %s is %s, in a look-up and at a repetition too', async (token, code, declineCode) => {
      const card = operationOn(token);
      const ids = memoryIds();
      const refused = { kind: 'declined', code, declineCode };
      expect(await gateway.authorize(card, ids)).toEqual(refused);
      expect(await gateway.findAuthorization(card, ids.known)).toEqual(refused);
      expect(await gateway.authorize(card, ids)).toEqual(refused);
    });

    it('a refusal at the capture is one, and leaves an authorization that can be voided', async () => {
      const card = operationOn(declinedAtCapture);
      const id = await authorized(card);
      expect(await gateway.capture(card, id)).toMatchObject({ kind: 'declined' });
      expect(await gateway.void(card, id)).toEqual({ kind: 'voided' });
    });

    it('a client error of the processor is final, with its code', async () => {
      const { code, ...answer } = provider.finalError;
      tap.answerWith(answer);
      expect(await gateway.authorize(operationOn(good), memoryIds())).toEqual({
        ...{ kind: 'declined', code: 'payment_declined', declineCode: code },
      });
      tap.answerWith(null);
    });

    it.each([
      ['a proxy', { status: 400, body: '<html>bad request</html>' }],
      ['something else that speaks JSON', { status: 400, body: '{"message":"bad request"}' }],
      ['a processor that fails', { status: 500, body: '{"error":{"code":"internal","detail":"failed"}}' }],
    ])('an error of %s decides nothing', async (_what, answer) => {
      tap.answerWith(answer);
      await expect(gateway.authorize(operationOn(good), memoryIds())).rejects.toThrow();
      await expect(gateway.capture(operationOn(good), 'unknown_1')).rejects.toThrow();
      tap.answerWith(null);
    });

    it('voids for good: a later capture is refused', async () => {
      const card = operationOn(good);
      const id = await authorized(card);
      for (let n = 0; n < 2; n++) expect(await gateway.void(card, id)).toEqual({ kind: 'voided' });
      expect(await gateway.capture(card, id)).toMatchObject({ kind: 'declined', code: 'payment_declined' });
      expect(await booksOf(id)).toMatchObject({ status: 'voided', captured: 0, voided: true });
    });

    it('does not void what is captured', async () => {
      const card = operationOn(good);
      const id = await authorized(card);
      await gateway.capture(card, id);
      expect(await gateway.void(card, id)).toEqual({ kind: 'captured' });
    });

    it('a doubtful operation that was cancelled takes no money afterwards', async () => {
      for (const lose of [tap.loseRequests, tap.loseAnswers]) {
        const card = operationOn(good);
        const ids = memoryIds();
        lose(1, (provider.requests?.authorize ?? 1) - 1);
        await expect(gateway.authorize(card, ids)).rejects.toMatchObject(noAnswer);
        ids.givenUp = true;
        expect(gateway.cancel !== undefined).toBe(provider.cancels);
        if (gateway.cancel) {
          for (let n = 0; n < 2; n++) expect(await gateway.cancel(card, ids.known)).toEqual({ kind: 'voided' });
        } else {
          // Without such a call its repetition shows whether there is anything to void.
          expect(await gateway.void(card, await authorized(card, ids))).toEqual({ kind: 'voided' });
        }
        const late = await gateway.authorize(card, ids).catch(() => null);
        const id = late?.kind === 'authorized' ? late.authorizationId : ids.known;
        if (id !== null) {
          expect(await gateway.capture(card, id)).toMatchObject({ kind: 'declined' });
          expect(await booksOf(id)).toMatchObject({ status: 'voided', captured: 0 });
        }
      }
    });

    it.runIf(provider.cancels)('a captured operation is not cancelled', async () => {
      const card = operationOn(good);
      const ids = memoryIds();
      await gateway.capture(card, await authorized(card, ids));
      expect(await gateway.cancel?.(card, ids.known)).toEqual({ kind: 'captured' });
    });

    describeRefunds({
      gateway: () => gateway,
      tap: () => tap,
      captured: async () => {
        const card = operationOn(good);
        const authorizationId = await authorized(card);
        await gateway.capture(card, authorizationId);
        return { paymentId: card.paymentId, authorizationId };
      },
      booksOf,
    });

    it('has no books of an authorization that does not exist', async () => {
      expect(await gateway.read('auth_nobody')).toBeNull();
    });

    it('lists what changed since an instant, page by page', async () => {
      const ids = await Promise.all([operationOn(good), operationOn(good)].map((card) => authorized(card)));
      const listed: string[] = [];
      let cursor: string | null = null;
      do {
        const page = await gateway.changes({ since: started, cursor });
        listed.push(...page.providerIds);
        expect(Number.isNaN(Date.parse(page.until))).toBe(false);
        ({ cursor } = page);
      } while (cursor !== null);
      expect(listed).toEqual(expect.arrayContaining(ids));
    });

    it('an error shows no token and no secret', async () => {
      const secrets = { status: 404, body: `{"error":{"code":"unknown","detail":"${good} pi_1_secret_2 not found"}}` };
      tap.answerWith(secrets);
      const error = await gateway.capture(operationOn(good), 'unknown_1').catch((reason: unknown) => reason);
      tap.answerWith(null);
      expect(error).toBeInstanceOf(Error);
      expect(String(error)).not.toContain(good);
      expect(String(error)).not.toContain('secret_2');
    });
  });
}

function operationOn(token: string): CardOperation {
  const paymentId = `pay_${randomUUID().replaceAll('-', '')}`;
  const money = { token, amount: 4200, currency: 'GBP' };
  return { paymentId, card: 'primary', ...money, reference: paymentId, customerId: null, traceparent: '' };
}

function idOf(answer: AuthorizeAnswer | null): string {
  if (answer?.kind !== 'authorized') throw new Error(`not authorized: ${answer?.kind}`);
  return answer.authorizationId;
}
