/** Money: scoring, authorizing, capturing, and the one undo. */
import { abandonPayment, recordPayment } from '../db/payments/queries.js';
import type { Sql } from '../db/postgres/client.js';
import type { MailRequest, PaymentRecord, PaymentStanding } from '../domain/orders/steps.js';
import type { AuthorizeAnswer, CaptureAnswer } from '../domain/payments/answers.js';
import type { CardSlot } from '../domain/payments/states.js';
import { chargeCard } from '../domain/purchase/purchase.js';
import { type Authorized, type CardOperation, type CardRecord, nothingCharged } from '../domain/purchase/steps.js';
import { GatewayFault } from '../gateways/http/fault.js';
import type { CardCalls } from './card-calls.js';
import { cardStepsAtHand } from './charge-at-hand.js';
import { type Around, attemptNumber, isFirstTry, timed } from './context.js';
import { askGateway, type RetryBudget } from './failures.js';

export interface PaymentDependencies {
  readonly calls: CardCalls;
  readonly sql: Sql;
  /** Called with the status of each recorded payment that belongs to no order. */
  readonly onRecorded: (status: PaymentRecord['status']) => void;
  /** Surrounds each step of `chargeCard`, by the name of the activity that does this step alone. */
  readonly around: Around;
}

export function paymentActivities({ calls, sql, onRecorded, around }: PaymentDependencies) {
  return {
    /**
     * The whole charge of a card, as far as each step is answered at once and no cancel is kept waiting for longer than
     * `maxCancelDelayMs`. Nothing was asked before, except by a task that was lost. Each step has the key that it has as an
     * activity of its own, so that what is left is resumed by `scoreFraud`, `authorizeCard` and `captureCard`.
     * @param mayCapture whether the money may be taken; false where somebody wants to cancel
     */
    async chargeCard(operation: CardOperation, mayCapture: boolean): Promise<CardRecord> {
      const card = { operation, record: nothingCharged() };
      await chargeCard(card, cardStepsAtHand(calls, around, mayCapture));
      return card.record;
    },

    /** The risk of a payment, 0 to 1. */
    async scoreFraud(operation: CardOperation, retryBudget: RetryBudget | null): Promise<number> {
      return askGateway(() => calls.score(operation), retryBudget, attemptNumber());
    },

    /** Reserves the money. Later attempts look the operation up before they repeat it. */
    async authorizeCard(operation: CardOperation, retryBudget: RetryBudget | null): Promise<Authorized> {
      const authorize = async (): Promise<AuthorizeAnswer> =>
        (isFirstTry() ? null : await calls.findAuthorization(operation)) ?? (await calls.authorize(operation));
      return askGateway(() => timed(authorize), retryBudget, attemptNumber());
    },

    /** Takes the authorized money. Later attempts look the operation up before they repeat it. */
    async captureCard(
      operation: CardOperation,
      authorizationId: string,
      retryBudget: RetryBudget | null,
    ): Promise<CaptureAnswer> {
      return askGateway(
        async () =>
          (isFirstTry() ? null : await calls.findCapture(operation)) ??
          (await calls.capture(operation, authorizationId)),
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
          const authorized = (await calls.findAuthorization(operation)) ?? (await calls.authorize(operation));
          if (authorized.kind === 'authorized') await returnMoney(operation, authorized.authorizationId);
        },
        null,
        1,
      );
    },

    /**
     * Gives up a card of a payment that belongs to no order, before what it holds is returned: from here on it settles
     * nothing. Answers how the payment stands: `pending`, or decided before.
     */
    async abandonPayment(payment: PaymentRecord, card: CardSlot): Promise<PaymentStanding> {
      return await abandonPayment(sql, payment, card);
    },

    /**
     * Records a payment that belongs to no order, and the mails that must follow, in one transaction. Answers how it stands:
     * not as asked where it was decided before, or its card was given up.
     */
    async recordPayment(payment: PaymentRecord, mails: readonly MailRequest[]): Promise<PaymentStanding> {
      const standing = await recordPayment(sql, payment, mails);
      onRecorded(standing.status);
      return standing;
    },
  };

  async function returnMoney(operation: CardOperation, authorizationId: string): Promise<void> {
    // Twice is enough where the processor tells the truth: a void that comes too late is followed by a refund.
    for (let round = 0; round < 3; round++) {
      const books = await calls.books(operation, authorizationId);
      if (books === null) throw new Error(`the processor does not know its own authorization ${authorizationId}`);
      const owed = books.captured - books.refunded;
      if (owed > 0) await calls.refund(operation, authorizationId, owed);
      else if (books.status === 'authorized') await calls.void(operation, authorizationId);
      else return;
    }
    throw new GatewayFault('payment', 'server_error', `authorization ${authorizationId} is not settled yet`);
  }
}

export type PaymentActivities = ReturnType<typeof paymentActivities>;
