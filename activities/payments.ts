/**
 * Money: scoring, authorizing, capturing, and the one undo. Every call carries a key that is fixed by the payment and the
 * card, so that it may be made any number of times.
 */
import { log } from '@temporalio/activity';
import { abandonPayment, recordPayment } from '../db/payments/queries.js';
import type { Sql } from '../db/postgres/client.js';
import type { MailRequest, PaymentRecord, PaymentStanding } from '../domain/orders/steps.js';
import { type CardSlot, fraudThreshold } from '../domain/payments/states.js';
import { type Fault, maxCancelDelayMs } from '../domain/retry.js';
import type { FraudGateway } from '../gateways/fraud/gateway.js';
import { GatewayFault } from '../gateways/http/fault.js';
import type { AuthorizeAnswer, CaptureAnswer, PaymentGateway } from '../gateways/payment/gateway.js';
import { type Around, attemptNumber, callOptions, isFirstTry, timed } from './context.js';
import { askGateway, type RetryBudget } from './failures.js';

/** One payment on one card. Its idempotency keys at the processor are made of `paymentId` and `card`. */
export interface CardOperation {
  readonly paymentId: string;
  readonly card: CardSlot;
  readonly token: string;
  /** Minor units. */
  readonly amount: number;
  readonly currency: string;
  /** What the processor's books show: the order's id, else the payment's. */
  readonly reference: string;
  readonly customerId: string | null;
  readonly traceparent: string;
}

/** How far a charge came in one go. What was not asked, or not answered, is null. */
export interface ChargeProgress {
  readonly score: number | null;
  readonly authorized: (AuthorizeAnswer & { readonly heldTaskMs: number }) | null;
  readonly captured: CaptureAnswer | null;
  /** What kept the next step from being answered; null where it was left for later, or there is none. */
  readonly fault: Fault | null;
  /** Whether the processor may hold money of a task that was lost, though this one was not to ask for any. */
  readonly begunBefore?: true;
}

type Kind = 'authorize' | 'capture' | 'void' | 'refund';
const keyOf = (operation: CardOperation, kind: Kind) => `${operation.paymentId}/${operation.card}/${kind}`;

export interface PaymentDependencies {
  readonly payments: PaymentGateway;
  readonly fraud: FraudGateway;
  readonly sql: Sql;
  readonly gatewayTimeoutSeconds: number;
  /** Told of each payment that belongs to no order and has been decided. */
  readonly onRecorded: (status: PaymentRecord['status']) => void;
  /** Surrounds each step of `chargeCard`, by the name of the activity that does this step alone. */
  readonly around: Around;
}

export function paymentActivities(given: PaymentDependencies) {
  const { payments, fraud, sql, gatewayTimeoutSeconds, onRecorded, around } = given;
  const options = (operation: CardOperation) => callOptions(gatewayTimeoutSeconds, operation.traceparent);
  const authorizeCall = (operation: CardOperation) => ({
    idempotencyKey: keyOf(operation, 'authorize'),
    token: operation.token,
    amount: operation.amount,
    currency: operation.currency,
    reference: operation.reference,
  });
  const captureCall = (operation: CardOperation, authorizationId: string) => ({
    idempotencyKey: keyOf(operation, 'capture'),
    authorizationId,
    amount: operation.amount,
  });

  return {
    /**
     * The whole charge in one go, as far as it comes within `maxCancelDelayMs`: score, authorize, capture. Nothing was asked
     * before, except by a task that was lost: the scorer may have told that one otherwise, so where it stops this one the
     * processor is asked whether it knows the charge. Each step has the key that it has when it is asked for alone, so
     * that whatever is left undecided is gone on with by `scoreFraud`, `authorizeCard` and `captureCard`.
     * @param mayCapture whether the money may be taken; false where somebody wants to cancel
     */
    async chargeCard(operation: CardOperation, mayCapture: boolean): Promise<ChargeProgress> {
      const began = performance.now();
      const heldMs = () => Math.round(performance.now() - began);
      const step = <T>(name: string, act: () => Promise<T>) => around(name, operation, act);
      const stopped = async (soFar: ChargeProgress): Promise<ChargeProgress> =>
        (await mayBeKnown(operation)) ? { ...soFar, begunBefore: true } : soFar;
      let progress: ChargeProgress = { score: null, authorized: null, captured: null, fault: null };
      try {
        const score = await step('scoreFraud', () => fraud.score(operation, options(operation)));
        progress = { ...progress, score };
        if (score > fraudThreshold) return await stopped(progress);
        if (heldMs() > maxCancelDelayMs) return progress;

        const answer = await step('authorizeCard', () =>
          payments.authorize(authorizeCall(operation), options(operation)),
        );
        progress = { ...progress, authorized: { ...answer, heldTaskMs: heldMs() } };
        if (answer.kind === 'declined' || !mayCapture || heldMs() > maxCancelDelayMs) return progress;

        const captured = await step('captureCard', () =>
          payments.capture(captureCall(operation, answer.authorizationId), options(operation)),
        );
        return { ...progress, captured };
      } catch (error) {
        // A bug, or a processor that refuses our own credentials, says nothing about the money.
        if (!(error instanceof GatewayFault)) log.warn('a step of a charge failed', { error });
        progress = { ...progress, fault: error instanceof GatewayFault ? error.fault : 'server_error' };
        return progress.score === null ? await stopped(progress) : progress;
      }
    },

    /** The risk of a payment, 0 to 1. */
    async scoreFraud(operation: CardOperation, retryBudget: RetryBudget | null): Promise<number> {
      return askGateway(() => fraud.score(operation, options(operation)), retryBudget, attemptNumber());
    },

    /**
     * Reserves the money. Later tries look the operation up before they repeat it. `heldTaskMs` says for how long a
     * workflow task was held up by it.
     */
    async authorizeCard(
      operation: CardOperation,
      retryBudget: RetryBudget | null,
    ): Promise<AuthorizeAnswer & { readonly heldTaskMs: number }> {
      const call = authorizeCall(operation);
      const authorize = async () =>
        (isFirstTry() ? null : await payments.findAuthorization(call.idempotencyKey, options(operation))) ??
        (await payments.authorize(call, options(operation)));
      return askGateway(() => timed(authorize), retryBudget, attemptNumber());
    },

    /** Takes the authorized money. Later tries look the operation up before they repeat it. */
    async captureCard(
      operation: CardOperation,
      authorizationId: string,
      retryBudget: RetryBudget | null,
    ): Promise<CaptureAnswer> {
      const call = captureCall(operation, authorizationId);
      return askGateway(
        async () =>
          (isFirstTry() ? null : await payments.findCapture(call.idempotencyKey, options(operation))) ??
          (await payments.capture(call, options(operation))),
        retryBudget,
        attemptNumber(),
      );
    },

    /**
     * Undoes `authorizeCard` and `captureCard`, whatever became of them: learns the outcome of the authorization (by
     * repeating it with its own key where the processor has not seen it: it may still be on its way), voids what is only
     * authorized, refunds what was captured, and ends when the processor's books show nothing open and a net of 0. A
     * capture in doubt needs no answer: once the authorization is void it cannot happen any more.
     */
    async undoCard(operation: CardOperation): Promise<void> {
      await askGateway(
        async () => {
          const call = authorizeCall(operation);
          const authorized =
            (await payments.findAuthorization(call.idempotencyKey, options(operation))) ??
            (await payments.authorize(call, options(operation)));
          if (authorized.kind === 'authorized') await returnMoney(operation, authorized.authorizationId);
        },
        null,
        1,
      );
    },

    /**
     * Gives a card of a payment that belongs to no order up, before what it holds is undone: from here on it settles
     * nothing. Answers how the payment stands: `pending`, or decided before.
     */
    async abandonPayment(payment: PaymentRecord, card: CardSlot): Promise<PaymentStanding> {
      return await abandonPayment(sql, payment, card);
    },

    /**
     * Writes a payment that belongs to no order, and the mails that must follow, in one transaction. Answers how it stands:
     * otherwise than asked where it was decided before, or its card was given up.
     */
    async recordPayment(payment: PaymentRecord, mails: readonly MailRequest[]): Promise<PaymentStanding> {
      const standing = await recordPayment(sql, payment, mails);
      onRecorded(standing.status);
      return standing;
    },
  };

  /** Whether the processor knows the authorization; in doubt it may. */
  async function mayBeKnown(operation: CardOperation): Promise<boolean> {
    try {
      return (await payments.findAuthorization(authorizeCall(operation).idempotencyKey, options(operation))) !== null;
    } catch {
      return true;
    }
  }

  async function returnMoney(operation: CardOperation, authorizationId: string): Promise<void> {
    // Twice is enough where the processor tells the truth: a void that comes too late is followed by a refund.
    for (let round = 0; round < 3; round++) {
      const books = await payments.books(authorizationId, options(operation));
      if (books === null) throw new Error(`the processor does not know its own authorization ${authorizationId}`);
      const owed = books.captured - books.refunded;
      if (owed > 0)
        await payments.refund(
          { idempotencyKey: keyOf(operation, 'refund'), authorizationId, amount: owed },
          options(operation),
        );
      else if (books.status === 'authorized')
        await payments.void({ idempotencyKey: keyOf(operation, 'void'), authorizationId }, options(operation));
      else return;
    }
    throw new GatewayFault('payment', 'server_error', `authorization ${authorizationId} is not settled yet`);
  }
}

export type PaymentActivities = ReturnType<typeof paymentActivities>;
