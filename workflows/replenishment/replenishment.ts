/**
 * Replenishment of a SKU at a location: `replenishment/<sku>/<location>`. It orders the lacking quantity from the supplier,
 * follows the delivery, and reads the level again before it ends, since triggers that arrived meanwhile were answered with
 * this replenishment. It decides by the present level, so a duplicate or late trigger does nothing.
 */
import { allHandlersFinished, condition, setCurrentDetails, uuid4, workflowInfo } from '@temporalio/workflow';
import type { ReplenishmentFailure, RunningReplenishment } from '../../domain/replenishment.js';
import { type Fault, faultDescriptions } from '../../domain/retry.js';
import { ask, unanswered } from '../shared/attempts.js';
import { runToEnd } from '../shared/cancellation.js';
import { currentInput } from '../shared/earlier-names.js';
import { describe, faultOf } from '../shared/failures.js';
import { database } from '../shared/proxies.js';
import { Saga } from '../shared/saga.js';
import { givenUp, unlessGivenUp } from '../shared/stuck-steps.js';
import type { ReplenishmentInput } from './contract.js';
import { type Followed, follow, type ReplenishmentSaga } from './delivery.js';
import { ReplenishmentInbox } from './inbox.js';

/** `quiet`: there was nothing to do. */
export type ReplenishmentOutcome = { readonly status: Followed | 'refused' | 'quiet' };

export async function replenishment(recorded: ReplenishmentInput): Promise<ReplenishmentOutcome> {
  const input = currentInput(recorded);
  const inbox = new ReplenishmentInbox();
  // Cancelling the workflow in the Web UI cancels the order at the supplier first.
  const onCancel = () => {
    inbox.stopWanted = true;
  };
  const saga = { input, inbox, ending: 'the level needs nothing' };
  return await runToEnd({ onCancel, wanted: () => inbox.stopWanted }, () => runSaga(saga));
}

async function runSaga(saga: ReplenishmentSaga): Promise<ReplenishmentOutcome> {
  const { input, inbox } = saga;
  const { watch } = input;
  let status: ReplenishmentOutcome['status'];
  if (watch) status = await run(inbox, watch.replenishment, () => follow(saga, watch));
  else status = await round(saga, input.cause, input.replenishmentId);
  // Triggers that arrived before the delivery were answered with that replenishment: read the level for them.
  let lookAgain = status === 'completed';
  for (;;) {
    const wanted = inbox.oldest;
    if (wanted !== undefined) {
      status = await round(saga, 'request', wanted.request.replenishmentId);
      lookAgain ||= status === 'completed';
    } else if (lookAgain || inbox.low) {
      const looked = await round(saga, 'level', newId('rpl'));
      lookAgain = looked === 'completed';
      if (looked === 'completed' || looked === 'failed') status = looked;
    } else if (allHandlersFinished()) {
      setCurrentDetails(`${status}: ${saga.ending}`);
      return { status };
    } else await condition(() => allHandlersFinished() || inbox.hasWork);
  }
}

/** One replenishment from the plan to the delivery, if the plan says so. */
async function round(
  saga: ReplenishmentSaga,
  cause: ReplenishmentInput['cause'],
  replenishmentId: string,
): Promise<ReplenishmentOutcome['status']> {
  const { input, inbox } = saga;
  if (cause === 'level') inbox.low = false;
  const { sku, location, deliveryCheckSeconds: coolOffSeconds } = input;
  const plan = await unlessGivenUp(
    database.planReplenishment({ replenishmentId, sku, location, cause, coolOffSeconds }),
    () => ({ kind: 'refused', refusal: givenUp() }) as const,
  );
  switch (plan.kind) {
    case 'quiet':
      return 'quiet';
    case 'ended':
      inbox.answerAll({ kind: 'done', replenishmentId });
      return 'quiet';
    case 'refused':
      if (cause === 'request') inbox.answerAll({ kind: 'refused', refusal: plan.refusal });
      saga.ending = `${plan.refusal.code}, ${plan.refusal.detail}`;
      return 'refused';
    case 'running':
      return await run(inbox, plan.replenishment, () => orderAndFollow(saga, plan.replenishment));
  }
}

/** Carries a replenishment out. Requests that are queued or arrive meanwhile are answered with it. */
async function run(
  inbox: ReplenishmentInbox,
  { id, sku, location, quantity }: RunningReplenishment,
  carryOut: () => Promise<Followed>,
): Promise<Followed> {
  inbox.standing = { running: id };
  inbox.answerAll({ kind: 'done', replenishmentId: id });
  setCurrentDetails(`running: ${quantity} of ${sku} for ${location}, replenishment ${id}`);
  const followed = await carryOut();
  inbox.standing = { running: null };
  return followed;
}

async function orderAndFollow(saga: ReplenishmentSaga, planned: RunningReplenishment): Promise<Followed> {
  if (planned.purchaseOrder !== null) return await follow(saga, { replenishment: planned, reviewId: null });
  const ordering = new Ordering(saga, planned);
  const placed = await ordering.run();
  if (placed.kind === 'failed') {
    await database.failReplenishment(planned.id, placed.failure, 'failed');
    saga.ending = `${placed.failure.code}, ${placed.failure.detail}`;
    return 'failed';
  }
  const { workflowId } = workflowInfo();
  const made = await database.recordPurchaseOrder(ordering.replenishment, placed.supplierOrderId, workflowId);
  const purchaseOrder = { ...made };
  return await follow(saga, { replenishment: { ...ordering.replenishment, purchaseOrder }, reviewId: null });
}

type Placed =
  | { readonly kind: 'placed'; readonly supplierOrderId: string }
  | { readonly kind: 'failed'; readonly failure: ReplenishmentFailure };

/** Attempts of a call to the supplier: the figure of its class in domain/retry.ts. */
const attempts = 3;

/** Places a planned order at the supplier, or leaves nothing ordered. */
class Ordering {
  private readonly input: ReplenishmentInput;
  private readonly undoing: Saga;
  /** The supplier's order that the undo found delivered already: its goods are received. */
  private delivered: string | null = null;
  private lastError = '';
  private lastFault: Fault = 'no_answer';

  constructor(
    private readonly saga: ReplenishmentSaga,
    /** Its quantity is reduced to what the supplier has. */
    public replenishment: RunningReplenishment,
  ) {
    this.input = saga.input;
    this.undoing = new Saga(saga.input.retry);
  }

  async run(): Promise<Placed> {
    if (this.replenishment.adopted) {
      // An earlier run may have ordered already. Look that order up before placing another.
      this.registerUndo();
      const found = await this.ask((via, retryBudget) => via.findSupplierOrder(this.asking, retryBudget));
      if (found === unanswered) return await this.giveUp('the look-up of the order');
      if (found !== null && found.status !== 'cancelled') return { kind: 'placed', supplierOrderId: found.id };
    }
    const has = await this.ask((via, retryBudget) => via.askAvailability(this.asking, retryBudget));
    if (has === unanswered) return await this.giveUp('availability');
    const { sku, quantity } = this.replenishment;
    if (has === 0) return await this.fail('supplier_refused', `the supplier has no ${sku}`);
    if (has < quantity) await this.orderLess(has);
    if (this.saga.inbox.stopWanted) return await this.fail('cancelled', 'the workflow was cancelled');

    if (!this.replenishment.adopted) this.registerUndo();
    const placed = await this.ask((via, retryBudget) => via.placeSupplierOrder(this.asking, retryBudget));
    if (placed === unanswered) return await this.giveUp('the order');
    if (placed.status === 'cancelled') return await this.fail('supplier_failed', 'the supplier cancelled the order');
    return { kind: 'placed', supplierOrderId: placed.id };
  }

  private get asking() {
    return { replenishment: this.replenishment, traceparent: this.input.caller.traceparent };
  }

  private ask<T>(call: Parameters<typeof ask<T>>[2]): Promise<T | typeof unanswered> {
    return ask('replenishmentSupplier', this.input.retry, async (via, retryBudget) => {
      try {
        return await call(via, retryBudget);
      } catch (error) {
        this.lastError = describe(error);
        this.lastFault = faultOf(error) ?? this.lastFault;
        throw error;
      }
    });
  }

  private async orderLess(quantity: number): Promise<void> {
    await database.reduceQuantity(this.replenishment.id, quantity);
    this.replenishment = { ...this.replenishment, quantity };
  }

  private registerUndo(): void {
    this.undoing.undo(
      'cancel the order at the supplier',
      async (via) => {
        this.delivered = (await via.cancelSupplierOrder(this.asking))?.id ?? null;
      },
      () => {
        const { id, sku, location, quantity, supplierId } = this.replenishment;
        return { replenishmentId: id, sku, location, quantity, supplierId, idempotencyKey: id };
      },
    );
  }

  /**
   * Reports first, since the undo may last as long as the supplier's outage. Only operators see the supplier's own words: a
   * client set its address, and gets no more than the class of the failure.
   */
  private async giveUp(what: string): Promise<Placed> {
    const { id: replenishmentId, sku, location } = this.replenishment;
    const detail = `${what} was not answered in ${attempts} attempts: the supplier ${faultDescriptions[this.lastFault]}`;
    const { workflowId } = workflowInfo();
    const report = {
      reviewId: newId('rev'),
      replenishmentId,
      sku,
      location,
      workflowId,
      attempts,
      detail,
      lastError: this.lastError,
    };
    await unlessGivenUp(database.reportReplenishmentFailure(report), () => undefined);
    return await this.fail('supplier_unavailable', detail);
  }

  /** Cancels an order that may have been placed. One that is delivered already is kept. */
  private async fail(code: ReplenishmentFailure['code'], detail: string): Promise<Placed> {
    await this.undoing.compensate();
    if (this.delivered !== null) return { kind: 'placed', supplierOrderId: this.delivered };
    return { kind: 'failed', failure: { code, detail } };
  }
}

function newId(prefix: 'rpl' | 'rev'): string {
  return `${prefix}_${uuid4().replaceAll('-', '')}`;
}
