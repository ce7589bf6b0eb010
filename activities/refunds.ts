/** Refunds: the steps in Postgres, and the calls to the processor that the payment was made at. */
import { log } from '@temporalio/activity';
import type { RefundStore } from '../db/refunds/store.js';
import type { GatewayName } from '../domain/payments/gateways.js';
import type { RefundAnswer, RefundOperation, RefundStep, RefundStepResult } from '../domain/payments/refunds.js';
import type { PaymentGateway } from '../gateways/payment/gateway.js';
import { attemptNumber, callOptions, isInWorkflowTask } from './context.js';
import { askGateway, type RetryBudget } from './failures.js';

type Step<Name extends RefundStep['step']> = Omit<Extract<RefundStep, { step: Name }>, 'step'>;

export interface RefundDependencies {
  readonly store: RefundStore;
  readonly gatewayOf: (name: GatewayName) => Pick<PaymentGateway, 'refund' | 'findRefund'>;
  readonly gatewayTimeoutSeconds: number;
}

/** Processors forget an idempotency key after 24 hours: the call would return the money a second time. */
const freshMs = 3_600_000;

/**
 * Whether no earlier call can have made this refund, or the processor still knows its key: the first call, soon after the
 * refund was asked for. A worker that was away, a person's retry and a resumed workflow come later.
 */
function isFresh({ attempt, requestedAt }: RefundOperation, now: number): boolean {
  return isInWorkflowTask() && attempt === 0 && requestedAt !== undefined && now - Date.parse(requestedAt) < freshMs;
}

/** A repeated step changes nothing and returns the refund as it is. domain/payments/refunds.ts describes each step. */
export function refundActivities({ store, gatewayOf, gatewayTimeoutSeconds }: RefundDependencies) {
  async function apply(step: RefundStep): Promise<RefundStepResult> {
    const result = await store.apply(step);
    for (const { from, to } of result.transitions)
      log.info('refund moved', { refundId: step.refundId, from, to, actor: step.actor, traceId: step.traceId });
    return result;
  }
  const find = (operation: RefundOperation) =>
    gatewayOf(operation.gateway).findRefund(operation, callOptions(gatewayTimeoutSeconds, operation.traceparent));
  const refund = (operation: RefundOperation) =>
    gatewayOf(operation.gateway).refund(operation, callOptions(gatewayTimeoutSeconds, operation.traceparent));

  return {
    beginRefund: (step: Step<'begin'>) => apply({ ...step, step: 'begin' }),
    acceptRefund: (step: Step<'accept'>) => apply({ ...step, step: 'accept' }),
    settleRefund: (step: Step<'settle'>) => apply({ ...step, step: 'settle' }),
    failRefund: (step: Step<'fail'>) => apply({ ...step, step: 'fail' }),
    retryRefund: (step: Step<'retry'>) => apply({ ...step, step: 'retry' }),

    /** Returns the money. Every call but a fresh one looks the refund up first. */
    async refundPayment(operation: RefundOperation, retryBudget: RetryBudget | null): Promise<RefundAnswer> {
      const fresh = isFresh(operation, Date.now());
      return askGateway(
        async () => (fresh ? null : await find(operation)) ?? (await refund(operation)),
        retryBudget,
        attemptNumber(),
      );
    },

    /** How the refund stands at the processor; null if the processor does not know it. */
    findRefund: (operation: RefundOperation): Promise<RefundAnswer | null> =>
      askGateway(() => find(operation), null, attemptNumber()),
  };
}

export type RefundActivities = ReturnType<typeof refundActivities>;
