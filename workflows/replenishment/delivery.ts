/**
 * Follows a purchase order until it is delivered, for weeks if need be, in a history that stays small. An unanswered check
 * is repeated at the next one.
 */
import { allHandlersFinished, condition, continueAsNew, uuid4, workflowInfo } from '@temporalio/workflow';
import type { PlacedOrder, ReplenishmentFailure } from '../../domain/replenishment.js';
import { ask, unanswered } from '../shared/attempts.js';
import type { ReviewDecision } from '../shared/contract.js';
import { database } from '../shared/proxies.js';
import { reviewDecisions } from '../shared/reviews.js';
import { Saga } from '../shared/saga.js';
import { unlessGivenUp } from '../shared/stuck-steps.js';
import type { DeliveryWatch, ReplenishmentInput } from './contract.js';
import type { ReplenishmentInbox } from './inbox.js';
import type { replenishment as replenishmentWorkflow } from './replenishment.js';

/** The state that all parts of the replenishment's saga share. */
export interface ReplenishmentSaga {
  readonly input: ReplenishmentInput;
  readonly inbox: ReplenishmentInbox;
  /** How the newest replenishment of this run has ended, for operators. */
  ending: string;
}

export type Followed = 'completed' | 'failed';

/** Checks before the workflow continues as new, with an empty history. */
const checksPerRun = 50;
/** Factor on the wait between checks of an overdue delivery, whose review is open. */
const overdueSlowdown = 24;
const dayMs = 86_400_000;

/** Checks the delivery every `deliveryCheckSeconds` until it is received or cancelled, or a person gives it up. */
export async function follow(saga: ReplenishmentSaga, watch: DeliveryWatch): Promise<Followed> {
  const { purchaseOrder } = watch.replenishment;
  if (purchaseOrder === null) throw new Error(`${watch.replenishment.id} has no purchase order to follow`);
  return await new Delivery(saga, watch, purchaseOrder).follow();
}

class Delivery {
  private readonly input: ReplenishmentInput;
  private reviewId: string | null;
  private decisions: ReviewDecision['resolution'][];
  private shipped: boolean;
  private readonly overdueAt: number;

  constructor(
    private readonly saga: ReplenishmentSaga,
    private readonly watch: DeliveryWatch,
    private readonly order: PlacedOrder,
  ) {
    this.input = saga.input;
    this.reviewId = watch.reviewId;
    this.decisions = watch.reviewId === null ? [] : reviewDecisions(watch.reviewId);
    this.shipped = order.shipped;
    this.overdueAt = Date.parse(order.orderedAt) + saga.input.deliveryMaxDays * dayMs;
  }

  async follow(): Promise<Followed> {
    for (let checks = 1; ; checks++) {
      if (this.reviewId === null && Date.now() >= this.overdueAt) await this.openOverdueReview();
      const summary =
        this.reviewId === null ? 'Wait for the next delivery check' : 'Wait for the next check of an overdue delivery';
      await condition(() => this.decisions.length > 0 || this.saga.inbox.stopWanted, this.waitMs(), { summary });
      // The API has recorded the person's note on the review.
      if (this.decisions.shift() === 'done')
        return await this.fail({ code: 'supplier_failed', detail: 'taken as not delivered by a person' }, 'failed');
      if (this.saga.inbox.stopWanted && (await this.callOff())) {
        await this.closeOverdueReview();
        return await this.fail({ code: 'cancelled', detail: 'the workflow was cancelled' }, 'cancelled');
      }
      const followed = await this.check();
      if (followed !== null) return followed;
      if (checks >= checksPerRun || workflowInfo().continueAsNewSuggested) await this.continueInNewRun();
    }
  }

  /** Milliseconds until the next check, or until the delivery becomes overdue if that comes first. */
  private waitMs(): number {
    const intervalMs = this.input.deliveryCheckSeconds * 1000;
    const wait =
      this.reviewId === null ? Math.min(intervalMs, this.overdueAt - Date.now()) : intervalMs * overdueSlowdown;
    return Math.max(1, Math.round(wait));
  }

  private async check(): Promise<Followed | null> {
    const { input, watch, order } = this;
    const asking = { replenishment: watch.replenishment, traceparent: input.caller.traceparent };
    const status = await ask('replenishmentSupplier', input.retry, (via, retryBudget) =>
      via.askDelivery(asking, retryBudget),
    );
    if (status === unanswered) return null;
    switch (status) {
      case 'delivered': {
        const received = await database.receiveDelivery(order.id, actor());
        const { quantity, sku } = watch.replenishment;
        this.saga.ending =
          received === 'received'
            ? `${quantity} of ${sku} delivered, purchase order ${order.id}`
            : `purchase order ${order.id} was given up before it was delivered`;
        await this.closeOverdueReview();
        return received === 'received' ? 'completed' : 'failed';
      }
      case 'cancelled':
        await this.closeOverdueReview();
        return await this.fail({ code: 'supplier_failed', detail: 'the supplier cancelled the order' }, 'cancelled');
      case 'shipped':
        if (!this.shipped) await unlessGivenUp(database.markShipped(order.id), () => undefined);
        this.shipped = true;
        return null;
      case 'ordered':
        return null;
    }
  }

  private async fail(failure: ReplenishmentFailure, orderStatus: 'cancelled' | 'failed'): Promise<Followed> {
    await database.failReplenishment(this.watch.replenishment.id, failure, orderStatus);
    this.saga.ending = `${failure.code}, ${failure.detail}`;
    return 'failed';
  }

  /** Cancels the order at the supplier; false where it is already delivered and must be received. */
  private async callOff(): Promise<boolean> {
    this.saga.inbox.stopWanted = false;
    const asking = { replenishment: this.watch.replenishment, traceparent: this.input.caller.traceparent };
    const saga = new Saga(this.input.retry);
    let delivered = false;
    saga.undo(
      'cancel the order at the supplier',
      async (via) => {
        delivered = (await via.cancelSupplierOrder(asking)) !== null;
      },
      () => ({ purchaseOrderId: this.order.id, supplierOrderId: this.order.supplierOrderId }),
    );
    await saga.compensate();
    return !delivered;
  }

  private async openOverdueReview(): Promise<void> {
    const { workflowId } = workflowInfo();
    const { id, sku, location, quantity, supplierId } = this.watch.replenishment;
    const { id: purchaseOrderId, supplierOrderId, orderedAt } = this.order;
    const reviewId = `rev_${uuid4().replaceAll('-', '')}`;
    this.decisions = reviewDecisions(reviewId);
    await database.openReview({
      id: reviewId,
      kind: 'delivery_overdue',
      subject: workflowId,
      detail: { replenishmentId: id, purchaseOrderId, supplierId, supplierOrderId, sku, location, quantity, orderedAt },
      attempts: 0,
      lastError: null,
      workflowId,
    });
    this.reviewId = reviewId;
  }

  /** Does nothing where a person has closed the review. */
  private async closeOverdueReview(): Promise<void> {
    if (this.reviewId === null) return;
    const at = new Date().toISOString();
    const ended = { by: 'success', resolution: 'succeeded', note: null, actor: actor(), at } as const;
    await database.closeReview(this.reviewId, ended);
  }

  /** Continues as new with the same watch, once every update has its answer. */
  private async continueInNewRun(): Promise<void> {
    await condition(allHandlersFinished);
    if (this.decisions.length > 0 || this.saga.inbox.stopWanted) return;
    const purchaseOrder = { ...this.order, shipped: this.shipped };
    const watch = { replenishment: { ...this.watch.replenishment, purchaseOrder }, reviewId: this.reviewId };
    await continueAsNew<typeof replenishmentWorkflow>({ ...this.input, watch });
  }
}

function actor(): string {
  return `workflow:${workflowInfo().workflowId}`;
}
