/** The API's calls to each kind of saga. */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { skuList } from '../../domain/search-attributes.js';
import {
  type OrderAnswer,
  type OrderInput,
  orderSignals,
  orderUpdates,
  orderWorkflowId,
} from '../../workflows/order/contract.js';
import {
  type PaymentAnswer,
  type PaymentInput,
  paymentUpdates,
  paymentWorkflowId,
} from '../../workflows/payment/contract.js';
import {
  type ReconciliationAnswer,
  type ReconciliationInput,
  reconciliationUpdates,
  reconciliationWorkflowId,
} from '../../workflows/reconciliation/contract.js';
import {
  type RefundAnswer,
  type RefundInput,
  refundUpdates,
  refundWorkflowId,
} from '../../workflows/refund/contract.js';
import {
  type PlannedRequest,
  type ReplenishmentAnswer,
  type ReplenishmentInput,
  replenishmentUpdates,
  replenishmentWorkflowId,
} from '../../workflows/replenishment/contract.js';
import { type ReviewDecision, reviewSignal } from '../../workflows/shared/contract.js';
import {
  type SubscriptionAnswer,
  type SubscriptionInput,
  subscriptionSignals,
  subscriptionUpdates,
  subscriptionWorkflowId,
} from '../../workflows/subscription/contract.js';
import {
  type AdvancedRequest,
  type TestClockAnswer,
  type TestClockInput,
  testClockUpdates,
  testClockWorkflowId,
} from '../../workflows/test-clock/contract.js';
import {
  type TransferAnswer,
  type TransferInput,
  transferSignals,
  transferUpdates,
  transferWorkflowId,
} from '../../workflows/transfer/contract.js';
import {
  type VerificationAnswer,
  type VerificationInput,
  verificationUpdates,
  verificationWorkflowId,
} from '../../workflows/verification/contract.js';
import { type Outcome, SagaClient, type UpdateCall, type UpdateOutcome } from './saga-client.js';

const orderStatusKey = defineSearchAttributeKey('OrderStatus', SearchAttributeType.KEYWORD);
const customerIdKey = defineSearchAttributeKey('CustomerId', SearchAttributeType.KEYWORD);
const skuKey = defineSearchAttributeKey('Sku', SearchAttributeType.KEYWORD_LIST);
const totalKey = defineSearchAttributeKey('Total', SearchAttributeType.INT);

/** Not to wait at all would leave open whether a clock's workflow has taken the advance. */
const startClockMs = 2000;

/** The commands that a client sends to a subscription. */
export type SubscriptionCommand = 'change' | 'cancel' | 'pause' | 'resume' | 'paymentMethod';

export class Sagas extends SagaClient {
  /** Starts `order/<id>`, or finds it started, and waits for its first decision. */
  startOrder(input: OrderInput, total: number, updateCall: UpdateCall): Promise<Outcome<OrderAnswer>> {
    const { customer, lines } = input;
    return this.start<OrderAnswer>('order', orderUpdates.opened, updateCall, {
      workflowId: orderWorkflowId(input.orderId),
      args: [input],
      memo: { traceparent: input.caller.traceparent },
      typedSearchAttributes: [
        { key: orderStatusKey, value: 'pending' },
        { key: totalKey, value: total },
        ...(customer?.id === undefined ? [] : [{ key: customerIdKey, value: customer.id }]),
        ...(lines.length === 0 ? [] : [{ key: skuKey, value: skuList(lines.map((line) => line.sku)) }]),
      ],
    });
  }

  /** Starts `payment/<id>`, or finds it started, and waits until the payment is decided. */
  startPayment(input: PaymentInput, updateCall: UpdateCall): Promise<Outcome<PaymentAnswer>> {
    return this.start<PaymentAnswer>('payment', paymentUpdates.decided, updateCall, {
      workflowId: paymentWorkflowId(input.paymentId),
      args: [input],
      memo: { traceparent: input.caller.traceparent },
      typedSearchAttributes: input.customerId === null ? [] : [{ key: customerIdKey, value: input.customerId }],
    });
  }

  /** Starts `refund/<id>`, or finds it started, and waits until the refund is settled or pending at the processor. */
  startRefund(input: RefundInput, customerId: string | null, updateCall: UpdateCall): Promise<Outcome<RefundAnswer>> {
    const { refundId, request, caller } = input;
    return this.start<RefundAnswer>('refund', refundUpdates.decided, updateCall, {
      workflowId: refundWorkflowId(refundId),
      args: [input],
      memo: { traceparent: caller.traceparent },
      typedSearchAttributes: [
        ...(customerId === null ? [] : [{ key: customerIdKey, value: customerId }]),
        ...(request.amount === null ? [] : [{ key: totalKey, value: request.amount }]),
        ...(request.lines.length === 0 ? [] : [{ key: skuKey, value: skuList(request.lines.map(({ sku }) => sku)) }]),
      ],
    });
  }

  /** Starts `subscription/<id>`, or finds it started, and waits until its first charge is decided. */
  startSubscription(input: SubscriptionInput, updateCall: UpdateCall): Promise<Outcome<SubscriptionAnswer>> {
    const { subscriptionId, customerId, plan, caller } = input;
    return this.start<SubscriptionAnswer>('subscription', subscriptionUpdates.opened, updateCall, {
      workflowId: subscriptionWorkflowId(subscriptionId),
      args: [input],
      memo: { traceparent: caller.traceparent },
      typedSearchAttributes: [
        { key: customerIdKey, value: customerId },
        { key: totalKey, value: plan.amount },
      ],
    });
  }

  /** Starts `test-clock/<id>`, or joins the advance that is under way, and waits until it is done. */
  advanceClock(input: TestClockInput, { updateId, waitMs }: UpdateCall): Promise<Outcome<TestClockAnswer>> {
    const updateCall = { updateId, waitMs: Math.max(waitMs, startClockMs) };
    const request: AdvancedRequest = { to: input.to };
    return this.startAgain('testClock', testClockUpdates.advanced, request, updateCall, {
      workflowId: testClockWorkflowId(input.clockId),
      args: [input],
      memo: { traceparent: input.caller.traceparent },
      typedSearchAttributes: [],
    });
  }

  /** Starts `transfer/<id>`, or finds it started, and waits until the goods have arrived or are on their way. */
  startTransfer(input: TransferInput, updateCall: UpdateCall): Promise<Outcome<TransferAnswer>> {
    return this.start<TransferAnswer>('transfer', transferUpdates.moved, updateCall, {
      workflowId: transferWorkflowId(input.transferId),
      args: [input],
      memo: { traceparent: input.caller.traceparent },
      typedSearchAttributes: [{ key: skuKey, value: [input.sku] }],
    });
  }

  /** Starts `replenishment/<sku>/<location>`, or joins the one that runs, and waits for its plan. */
  startReplenishment(input: ReplenishmentInput, updateCall: UpdateCall): Promise<Outcome<ReplenishmentAnswer>> {
    const { replenishmentId, sku, location, caller } = input;
    const request: PlannedRequest = { replenishmentId };
    return this.startAgain('replenishment', replenishmentUpdates.planned, request, updateCall, {
      workflowId: replenishmentWorkflowId(sku, location),
      args: [input],
      memo: { traceparent: caller.traceparent },
      typedSearchAttributes: [{ key: skuKey, value: [sku] }],
    });
  }

  /** Starts `verification/<id>`, or finds it started, and waits until it has ended. */
  startVerification(input: VerificationInput, updateCall: UpdateCall): Promise<Outcome<VerificationAnswer>> {
    return this.start<VerificationAnswer>('verification', verificationUpdates.ended, updateCall, {
      workflowId: verificationWorkflowId(input.verificationId),
      args: [input],
      memo: { traceparent: input.caller.traceparent },
      typedSearchAttributes: [],
    });
  }

  /** Starts `reconciliation/<id>`, or finds it started, and waits until it has ended. */
  startReconciliation(input: ReconciliationInput, updateCall: UpdateCall): Promise<Outcome<ReconciliationAnswer>> {
    return this.start<ReconciliationAnswer>('reconciliation', reconciliationUpdates.ended, updateCall, {
      workflowId: reconciliationWorkflowId(input.reconciliationId),
      args: [input],
      memo: {},
      typedSearchAttributes: [],
    });
  }

  /** Sends a command to a running order. Only `addLine` can be `full`: confirm and cancel are then sent as signals. */
  updateOrder(
    orderId: string,
    update: 'addLine' | 'confirm' | 'cancel',
    request: object,
    updateCall: UpdateCall,
  ): Promise<UpdateOutcome<OrderAnswer>> {
    const signal = update === 'addLine' ? null : orderSignals[update];
    return this.#updateOrSignal(orderWorkflowId(orderId), orderUpdates[update], signal, request, updateCall);
  }

  /** Sends a command to a running transfer. */
  updateTransfer(
    transferId: string,
    update: 'receive' | 'cancel',
    request: object,
    updateCall: UpdateCall,
  ): Promise<UpdateOutcome<TransferAnswer>> {
    const workflowId = transferWorkflowId(transferId);
    return this.#updateOrSignal(workflowId, transferUpdates[update], transferSignals[update], request, updateCall);
  }

  /** Sends a command to a running subscription. Of those, cancel, pause and resume are sent as signals where it is `full`. */
  updateSubscription(
    subscriptionId: string,
    command: SubscriptionCommand,
    request: object,
    updateCall: UpdateCall,
  ): Promise<UpdateOutcome<SubscriptionAnswer>> {
    const signal = command === 'change' || command === 'paymentMethod' ? null : subscriptionSignals[command];
    const workflowId = subscriptionWorkflowId(subscriptionId);
    return this.#updateOrSignal(workflowId, subscriptionUpdates[command], signal, request, updateCall);
  }

  /** Sends an update; if the saga takes no more of them, sends the command as a signal, which has no answer. */
  async #updateOrSignal<A>(
    workflowId: string,
    update: string,
    signal: string | null,
    request: object,
    updateCall: UpdateCall,
  ): Promise<UpdateOutcome<A>> {
    const outcome = await this.update<A>(workflowId, update, request, updateCall);
    if (outcome.kind !== 'full' || signal === null) return outcome;
    // A signal has no caller and no limits, and leaves out members that are null.
    const members = Object.entries(request).filter(
      ([name, value]) => name !== 'caller' && name !== 'limits' && value !== null,
    );
    const signalled = await this.signal(workflowId, signal, Object.fromEntries(members));
    return { kind: signalled === 'delivered' ? 'late' : signalled };
  }

  /** Signals a person's decision to the saga that waits for it. */
  signalReview(workflowId: string, decision: ReviewDecision): Promise<'delivered' | 'ended' | 'unavailable'> {
    return this.signal(workflowId, reviewSignal, decision);
  }
}
