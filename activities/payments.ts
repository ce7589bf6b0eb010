/** Charging cards: scoring, authorizing, capturing, and the undo of them all. */
import { takeCustomerLimit } from '../db/payments/limits.js';
import { abandonPayment, recordPayment } from '../db/payments/queries.js';
import type { Sql } from '../db/postgres/client.js';
import type { MailRequest, PaymentRecord, PaymentStanding } from '../domain/orders/steps.js';
import type { AuthorizeAnswer, CaptureAnswer } from '../domain/payments/answers.js';
import type { LimitedPayment } from '../domain/payments/limits.js';
import type { CardSlot } from '../domain/payments/states.js';
import { chargeCard } from '../domain/purchase/purchase.js';
import { type Authorized, type CardOperation, type CardRecord, nothingCharged } from '../domain/purchase/steps.js';
import { GatewayFault } from '../gateways/http/fault.js';
import type { CardCalls } from './card-calls.js';
import { type Around, attemptNumber, isInWorkflowTask, timed } from './context.js';
import { askGateway, type RetryBudget } from './failures.js';
import { inlineCardSteps } from './inline-charge.js';

export interface PaymentDependencies {
  readonly calls: CardCalls;
  readonly sql: Sql;
  /** Called with each recorded payment without an order, and how it stands. */
  readonly onRecorded: (payment: PaymentRecord, status: PaymentRecord['status']) => void;
  /** Surrounds each step of `chargeCard`, under the name of the activity that does this step alone. */
  readonly around: Around;
}

export function paymentActivities({ calls, sql, onRecorded, around }: PaymentDependencies) {
  return {
    /**
     * Charges a card up to the first step without an answer, or until a cancel would wait longer than `maxCancelDelayMs`.
     * Each step has the key that it has as an activity of its own, so `scoreFraud`, `authorizeCard` and `captureCard` resume
     * the rest.
     * @param mayCapture whether the money may be taken; false where a cancel is queued
     */
    async chargeCard(operation: CardOperation, mayCapture: boolean): Promise<CardRecord> {
      const card = { operation, record: nothingCharged() };
      await chargeCard(card, inlineCardSteps(calls, around, mayCapture));
      return card.record;
    },

    /** The risk of a payment, 0 to 1. */
    async scoreFraud(operation: CardOperation, retryBudget: RetryBudget | null): Promise<number> {
      return askGateway(() => calls.score(operation), retryBudget, attemptNumber());
    },

    /** Reserves the money. Later attempts look the operation up before they repeat it. */
    async authorizeCard(operation: CardOperation, retryBudget: RetryBudget | null): Promise<Authorized> {
      const authorize = async (): Promise<AuthorizeAnswer> =>
        (isInWorkflowTask() ? null : await calls.findAuthorization(operation)) ?? (await calls.authorize(operation));
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
          (isInWorkflowTask() ? null : await calls.findCapture(operation, authorizationId)) ??
          (await calls.capture(operation, authorizationId)),
        retryBudget,
        attemptNumber(),
      );
    },

    /**
     * Undoes `authorizeCard` and `captureCard`, whatever their outcome. Cancels the operation where the processor can. Else
     * looks the authorization up, and repeats it with its own key if the processor does not know it, since it may still
     * arrive. Then voids or refunds it until the processor's books show nothing open and a net of 0. A capture without an
     * answer is safe: it cannot succeed once the authorization is void.
     */
    async undoCard(operation: CardOperation): Promise<void> {
      await askGateway(
        async () => {
          const cancelled = await calls.cancel(operation);
          if (cancelled?.kind === 'voided') return;
          const found = await calls.findAuthorization(operation);
          // One that was captured is known. Authorizing is no way to learn the fate of a card where it can be cancelled.
          if (found === null && cancelled !== null)
            throw new GatewayFault('payment', 'malformed', 'a captured operation cannot be found');
          const authorized = found ?? (await calls.authorize(operation));
          if (authorized.kind === 'authorized') await returnMoney(operation, authorized.authorizationId);
        },
        null,
        1,
      );
    },

    /**
     * Counts a payment towards its customer's limits, once. Returns null, or after how many seconds there may be room where a
     * limit would be exceeded.
     */
    async takeCustomerLimit(payment: LimitedPayment): Promise<number | null> {
      return await takeCustomerLimit(sql, payment);
    },

    /**
     * Gives up a card of a payment without an order, before its money is returned: it can settle nothing from now on.
     * Returns the payment's standing: `pending`, or how it was decided before.
     */
    async abandonPayment(payment: PaymentRecord, card: CardSlot): Promise<PaymentStanding> {
      return await abandonPayment(sql, payment, card);
    },

    /**
     * Records a payment without an order and queues its mails, in one transaction. Returns the payment's standing, which
     * differs from the given one if the payment was decided before or its card was given up.
     */
    async recordPayment(payment: PaymentRecord, mails: readonly MailRequest[]): Promise<PaymentStanding> {
      const standing = await recordPayment(sql, payment, mails);
      onRecorded(payment, standing.status);
      return standing;
    },
  };

  async function returnMoney(operation: CardOperation, authorizationId: string): Promise<void> {
    // Two rounds suffice with correct books: a refund follows a void that came too late.
    for (let round = 0; round < 3; round++) {
      const books = await calls.read(operation, authorizationId);
      if (books === null) throw new Error(`the processor has no books of its own authorization ${authorizationId}`);
      const owed = books.captured - books.refunded;
      if (owed > 0) await calls.undoCapture(operation, authorizationId, owed);
      else if (books.status === 'authorized') await calls.void(operation, authorizationId);
      else return;
    }
    throw new GatewayFault('payment', 'server_error', `authorization ${authorizationId} is not settled yet`);
  }
}

export type PaymentActivities = ReturnType<typeof paymentActivities>;
