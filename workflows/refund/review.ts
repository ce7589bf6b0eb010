/** A refund that failed for good: a person retries it or closes it. */
import { condition, uuid4, workflowInfo } from '@temporalio/workflow';
import type { RefundState, RefundStepResult } from '../../domain/payments/refunds.js';
import { database } from '../shared/proxies.js';
import { reviewDecisions } from '../shared/reviews.js';

export class FailedRefund {
  constructor(
    private readonly refundId: string,
    private readonly failed: RefundState,
  ) {}

  /**
   * Opens a review and waits for its decision. Returns the refund once it is pending again; null where it stays as it is.
   * @param retry reserves the refund's amount again; refused while that is not possible
   */
  async decided(stopWanted: () => boolean, retry: () => Promise<RefundStepResult>): Promise<RefundState | null> {
    const { workflowId } = workflowInfo();
    const { orderId, paymentId, amount, currency, attempts, failure } = this.failed;
    const id = `rev_${uuid4().replaceAll('-', '')}`;
    const decisions = reviewDecisions(id);
    await database.openReview({
      ...{ id, kind: 'refund_failed', subject: workflowId, workflowId, attempts },
      detail: {
        refundId: this.refundId,
        orderId,
        paymentId,
        amount,
        currency,
        failure: failure?.code ?? null,
        outcome: 'failed',
      },
      lastError: failure?.detail ?? null,
    });
    for (;;) {
      await condition(() => decisions.length > 0 || stopWanted());
      if (decisions.shift() !== 'retry') return null;
      const retried = await retry();
      if (retried.outcome === 'refused') continue;
      await database.closeReview(id, {
        ...{ by: 'person', resolution: 'retry', note: 'tried again; another failure opens another review' },
        ...{ actor: `workflow:${workflowId}`, at: new Date().toISOString() },
      });
      return retried.state;
    }
  }
}
