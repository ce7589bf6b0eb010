/**
 * Replenishment of a SKU at a location: `replenishment/<sku>/<location>`. It orders what lacks from the supplier, follows
 * the delivery, and looks at the level again before it ends, since whoever saw it low meanwhile was told that it is being
 * seen to. It works on what the level is, not on what was said of it: a call too many, or too late, does nothing.
 */
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  setCurrentDetails,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type { ReplenishmentFailure, RunningReplenishment } from '../../domain/replenishment.js';
import { type Fault, faultDescriptions } from '../../domain/retry.js';
import { ask, unanswered } from '../shared/attempts.js';
import { currentInput } from '../shared/earlier-names.js';
import { describe, faultOf } from '../shared/failures.js';
import { database } from '../shared/proxies.js';
import { Saga } from '../shared/saga.js';
import { givenUp, stuckStepsStopWhen, unlessGivenUp } from '../shared/stuck-steps.js';
import type { ReplenishmentInput } from './contract.js';
import { type Followed, follow } from './delivery.js';
import { ReplenishmentDesk } from './inbox.js';

/** `quiet`: there was nothing to do. */
export type ReplenishmentOutcome = { readonly status: Followed | 'refused' | 'quiet' };

export async function replenishment(recorded: ReplenishmentInput): Promise<ReplenishmentOutcome> {
  const input = currentInput(recorded);
  const desk = new ReplenishmentDesk();
  // Whoever cancels the workflow in the Web UI wants the order called off, not the books left open.
  CancellationScope.current().cancelRequested.catch(() => {
    desk.stopWanted = true;
  });
  stuckStepsStopWhen(() => desk.stopWanted);
  return await CancellationScope.nonCancellable(() => live(input, desk));
}

async function live(input: ReplenishmentInput, desk: ReplenishmentDesk): Promise<ReplenishmentOutcome> {
  const { watch } = input;
  let status: ReplenishmentOutcome['status'];
  if (watch) status = await run(desk, watch.replenishment, () => follow(input, desk, watch));
  else status = await round(input, desk, input.cause, input.replenishmentId);
  // Whoever saw the level low while goods were on their way was told that it is being seen to.
  let lookAgain = status === 'completed';
  for (;;) {
    const wanted = desk.oldest;
    if (wanted !== undefined) {
      status = await round(input, desk, 'request', wanted);
      lookAgain ||= status === 'completed';
    } else if (lookAgain || desk.low) {
      const looked = await round(input, desk, 'level', newId('rpl'));
      lookAgain = looked === 'completed';
      if (looked === 'completed' || looked === 'failed') status = looked;
    } else if (allHandlersFinished()) {
      setCurrentDetails(`${status}: ${desk.story}`);
      return { status };
    } else await condition(() => allHandlersFinished() || desk.hasWork);
  }
}

/** One replenishment from the plan to the delivery, if the plan says so. */
async function round(
  input: ReplenishmentInput,
  desk: ReplenishmentDesk,
  cause: ReplenishmentInput['cause'],
  replenishmentId: string,
): Promise<ReplenishmentOutcome['status']> {
  if (cause === 'level') desk.low = false;
  const { sku, location, deliveryCheckSeconds: coolOffSeconds } = input;
  const plan = await unlessGivenUp(
    database.planReplenishment({ replenishmentId, sku, location, cause, coolOffSeconds }),
    () => ({ kind: 'refused', refusal: givenUp() }) as const,
  );
  switch (plan.kind) {
    case 'quiet':
      return 'quiet';
    case 'ended':
      desk.answer({ kind: 'done', replenishmentId });
      return 'quiet';
    case 'refused':
      if (cause === 'request') desk.answer({ kind: 'refused', refusal: plan.refusal });
      desk.story = `${plan.refusal.code}, ${plan.refusal.detail}`;
      return 'refused';
    case 'running':
      return await run(desk, plan.replenishment, () => orderAndFollow(input, desk, plan.replenishment));
  }
}

/** Whoever wants a replenishment while this one runs is answered this one. */
async function run(
  desk: ReplenishmentDesk,
  { id, sku, location, quantity }: RunningReplenishment,
  carryOut: () => Promise<Followed>,
): Promise<Followed> {
  desk.running = id;
  desk.answer({ kind: 'done', replenishmentId: id });
  setCurrentDetails(`running: ${quantity} of ${sku} for ${location}, replenishment ${id}`);
  const followed = await carryOut();
  desk.running = null;
  return followed;
}

async function orderAndFollow(
  input: ReplenishmentInput,
  desk: ReplenishmentDesk,
  planned: RunningReplenishment,
): Promise<Followed> {
  if (planned.purchaseOrder !== null) return await follow(input, desk, { replenishment: planned, reviewId: null });
  const ordering = new Ordering(input, desk, planned);
  const placed = await ordering.run();
  if (placed.kind === 'failed') {
    await database.failReplenishment(planned.id, placed.failure, 'failed');
    desk.story = `${placed.failure.code}, ${placed.failure.detail}`;
    return 'failed';
  }
  const { workflowId } = workflowInfo();
  const made = await database.recordPurchaseOrder(ordering.replenishment, placed.supplierOrderId, workflowId);
  const purchaseOrder = { ...made };
  return await follow(input, desk, { replenishment: { ...ordering.replenishment, purchaseOrder }, reviewId: null });
}

type Placed =
  | { readonly kind: 'placed'; readonly supplierOrderId: string }
  | { readonly kind: 'failed'; readonly failure: ReplenishmentFailure };

/** Attempts of a call to the supplier before it is given up, as domain/retry.ts has it for this class. */
const attempts = 3;

/** From the plan to an order at the supplier, or to nothing at all. */
class Ordering {
  private readonly saga: Saga;
  /** What the undo found delivered: then there is nothing to undo, and the goods come. */
  private delivered: string | null = null;
  private lastError = '';
  private lastFault: Fault = 'no_answer';

  constructor(
    private readonly input: ReplenishmentInput,
    private readonly desk: ReplenishmentDesk,
    /** With the quantity that is ordered in the end. */
    public replenishment: RunningReplenishment,
  ) {
    this.saga = new Saga(input.retry);
  }

  async run(): Promise<Placed> {
    if (this.replenishment.adopted) {
      // The run before this one may have ordered, and the supplier would not tell us how much of what.
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
    if (this.desk.stopWanted) return await this.fail('cancelled', 'the workflow was cancelled');

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
    this.saga.undo(
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
   * Tells people first: the undo may take as long as the supplier is away. What the supplier said is for them alone: its
   * address was set by a client, who is told the class of the failure.
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

  /** Undoes what may have been ordered. Goods that are here already are taken. */
  private async fail(code: ReplenishmentFailure['code'], detail: string): Promise<Placed> {
    await this.saga.compensate();
    if (this.delivered !== null) return { kind: 'placed', supplierOrderId: this.delivered };
    return { kind: 'failed', failure: { code, detail } };
  }
}

function newId(prefix: 'rpl' | 'rev'): string {
  return `${prefix}_${uuid4().replaceAll('-', '')}`;
}
