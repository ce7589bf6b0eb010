/** One attempt at a refund at the processor, until its outcome is known. */
import {
  CancellationScope,
  condition,
  defineUpdate,
  isCancellation,
  patched,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type { RefundAnswer as ProcessorAnswer, RefundOperation, RefundState } from '../../domain/payments/refunds.js';
import { ask, unanswered } from '../shared/attempts.js';
import type { RetrySettings } from '../shared/contract.js';
import type { ProcessorReports } from '../shared/processor-reports.js';
import { attemptInTask, database, endlessCompensation, gatewayRetries } from '../shared/proxies.js';
import { reviewDecisions } from '../shared/reviews.js';
import { type RefundAnswer, type RefundInput, refundUpdates } from './contract.js';

export const decided = defineUpdate<RefundAnswer>(refundUpdates.decided);

/** The failure of a refund without an answer whose review a person closed. */
export const closedByHand = 'closed_by_hand';

const firstWaitMs = 1000;
const longestWaitMs = 3_600_000;

type Settled = Exclude<ProcessorAnswer, { kind: 'pending' }>;

export class RefundAtProcessor {
  private constructor(
    private readonly operation: RefundOperation,
    private readonly retry: RetrySettings,
    private readonly reports: ProcessorReports,
    private readonly orderId: string | null,
  ) {}

  /** Null where no processor is asked: an order that was paid outside Holdfast, or a refund of goods that cost nothing. */
  static of(
    { refundId, retry, caller, requestedAt }: RefundInput,
    state: RefundState,
    reports: ProcessorReports,
  ): RefundAtProcessor | null {
    const { gateway, paymentId, authorizationId, amount, currency, attempts: attempt } = state;
    if (gateway === null) return null;
    if (paymentId === null || authorizationId === null) throw new Error(`refund ${refundId} has no captured payment`);
    const { traceparent } = caller;
    const call = { refundId, attempt, gateway, paymentId, authorizationId, amount, currency };
    const operation = { ...call, traceparent, requestedAt };
    return new RefundAtProcessor(operation, retry, reports, state.orderId);
  }

  /**
   * Asks for the money's return. An unknown outcome is neither success nor failure: the amount stays reserved and the same
   * operation is repeated, with a review open, until the processor answers or a person closes the review.
   */
  async ask(): Promise<ProcessorAnswer> {
    const said = await ask('refund', this.retry, (via, budget) => via.refundPayment(this.operation, budget));
    return said === unanswered ? await this.underReview() : said;
  }

  /** Asks about a pending refund, after twice as long each time, and at once when the processor reports a change. */
  async untilSettled(): Promise<Settled> {
    for (let waitMs = firstWaitMs; ; waitMs = Math.min(longestWaitMs, waitMs * 2)) {
      await condition(() => this.reports.seen, Math.max(1, waitMs * Math.min(1, this.retry.retryBaseScale)));
      this.reports.seen = false;
      const said = await this.find();
      if (said !== null && said.kind !== 'pending') return said;
    }
  }

  /** Null: the processor does not know the refund, or does not answer. */
  private async find(): Promise<ProcessorAnswer | null> {
    try {
      return await attemptInTask.findRefund(this.operation);
    } catch (error) {
      if (isCancellation(error)) throw error;
    }
    try {
      return await gatewayRetries(this.retry).findRefund(this.operation);
    } catch (error) {
      if (isCancellation(error)) throw error;
      return null;
    }
  }

  private async underReview(): Promise<ProcessorAnswer> {
    const { workflowId } = workflowInfo();
    const { refundId, paymentId, attempt, amount, currency } = this.operation;
    const id = `rev_${uuid4().replaceAll('-', '')}`;
    const decisions = reviewDecisions(id);
    await database.openReview({
      ...{ id, kind: 'refund_failed', subject: workflowId, workflowId, attempts: 2 },
      detail: { refundId, orderId: this.orderId, paymentId, attempt, amount, currency, outcome: 'unknown' },
      lastError: 'the processor gave no answer: the money may have been returned or not',
    });
    for (;;) {
      const said = await this.untilDecided(() => decisions.length > 0);
      if (said !== null) {
        const at = new Date().toISOString();
        const resolution = {
          by: 'success',
          resolution: 'succeeded',
          note: null,
          actor: `workflow:${workflowId}`,
          at,
        } as const;
        await database.closeReview(id, resolution);
        return said;
      }
      if (decisions.shift() === 'retry') continue;
      // Closed by a person, who has looked at the processor. A last look: if the refund is there, it counts.
      const detail = 'the processor gave no answer, and a person closed the review';
      return (await this.find()) ?? { kind: 'failed', providerReference: null, code: closedByHand, detail };
    }
  }

  /**
   * Repeats the operation until the processor answers; null where `called` came first. No attempt is left on its way then: it
   * could return the money after the last look, when its amount is free again.
   */
  private async untilDecided(called: () => boolean): Promise<ProcessorAnswer | null> {
    const ending = patched('refund-attempts-end-first') ? 'WAIT_CANCELLATION_COMPLETED' : 'TRY_CANCEL';
    const attempts = new CancellationScope();
    const answered = attempts
      .run(() => endlessCompensation(this.retry, ending).refundPayment(this.operation, null))
      .catch((error: unknown) => {
        // Cancelled with an attempt in flight, the activity ends with that attempt's own failure.
        if (isCancellation(error) || attempts.consideredCancelled) return null;
        throw error;
      });
    const waiting = new CancellationScope();
    const interrupted = waiting.run(() => condition(called)).then(() => attempts.cancel());
    interrupted.catch(() => undefined);
    const said = await answered;
    waiting.cancel();
    return said;
  }
}
