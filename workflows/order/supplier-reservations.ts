/**
 * Reservations of an order's shortages at their suppliers. Each shortage is reserved and followed concurrently with the
 * others; the outcomes are events that the saga takes one at a time.
 */
import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';
import type { SupplierOperation } from '../../activities/suppliers.js';
import type { SupplierFailureCode } from '../../domain/errors.js';
import type { Shortage } from '../../domain/orders/steps.js';
import { type Fault, faultDescriptions } from '../../domain/retry.js';
import { ask, type Call, unanswered } from '../shared/attempts.js';
import { faultOf } from '../shared/failures.js';
import { Saga } from '../shared/saga.js';
import type { OrderInput } from './contract.js';

/** An outcome at a supplier. `accepted` occurs once, when all suppliers have accepted. */
export type SupplierEvent =
  | { readonly kind: 'accepted'; readonly reference: string }
  | { readonly kind: 'delayed'; readonly id: string; readonly detail: string }
  | { readonly kind: 'ok'; readonly goods: Goods }
  | { readonly kind: 'failed'; readonly code: SupplierFailureCode; readonly detail: string };

/** The goods of one shortage. */
export interface Goods {
  readonly shortage: Shortage;
  /** The supplier's reference; null until it has accepted. */
  reference: string | null;
  /** Whether the supplier may hold goods that we have not received. */
  mayHoldGoods: boolean;
}

interface Part extends Goods {
  readonly operation: SupplierOperation;
  readonly saga: Saga;
  /** The fault of its last unanswered call. */
  fault: Fault;
}

/** Waits double up to a day. */
const longestWaitMs = 86_400_000;

export class SupplierReservations {
  private readonly events: SupplierEvent[] = [];
  private readonly scope = new CancellationScope();
  private readonly parts: readonly Part[];
  private running: Promise<void> = Promise.resolve();

  /** @param onReview called when cancelling at a supplier has failed so often that a review was opened */
  constructor(
    private readonly input: OrderInput,
    shortages: readonly Shortage[],
    onReview: () => Promise<void>,
  ) {
    this.parts = shortages.map((shortage) => ({
      shortage,
      reference: null,
      mayHoldGoods: false,
      operation: {
        url: shortage.url,
        idempotencyKey: `order/${input.orderId}/supplier/${shortage.line}`,
        sku: shortage.sku,
        quantity: shortage.quantity,
        traceparent: input.caller.traceparent,
      },
      saga: new Saga(input.retry, onReview),
      fault: 'no_answer',
    }));
  }

  start(): void {
    this.running = this.scope
      .run(async () => {
        await this.withEach((part) => this.reserve(part));
        if (this.parts.some((part) => part.reference === null)) return;
        this.events.push({ kind: 'accepted', reference: this.parts.map((part) => part.reference).join(', ') });
        await this.withEach((part) => this.follow(part));
      })
      .catch((error: unknown) => {
        if (!isCancellation(error)) throw error;
      });
  }

  get hasEvents(): boolean {
    return this.events.length > 0;
  }

  takeEvent(): SupplierEvent | undefined {
    return this.events.shift();
  }

  /** Stops asking the suppliers. */
  async stop(): Promise<void> {
    this.scope.cancel();
    await this.running;
  }

  /**
   * Stops asking, and cancels every reservation whose goods have not been received.
   * @param received lines whose goods have been received
   */
  async giveUp(received: readonly number[]): Promise<void> {
    await this.stop();
    for (const part of this.parts) if (received.includes(part.shortage.line)) part.mayHoldGoods = false;
    await Promise.all(this.parts.map((part) => part.saga.compensate()));
  }

  /** Resolves when every call has ended, so that a cancellation leaves no call in flight. */
  private async withEach(call: (part: Part) => Promise<void>): Promise<void> {
    const ends = await Promise.allSettled(this.parts.map(call));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  private async reserve(part: Part): Promise<void> {
    part.saga.undo('cancel at the supplier', ...this.cancellation(part));
    part.mayHoldGoods = true;
    const answer = await this.ask(part, (via, retryBudget) => via.reserveAtSupplier(part.operation, retryBudget));
    if (answer === unanswered) return this.fail(part, 'supplier_unavailable', faultDescriptions[part.fault]);
    if (!answer.accepted) {
      part.mayHoldGoods = false;
      return this.fail(part, 'supplier_refused', 'refused');
    }
    part.reference = answer.ref;
  }

  /** Asks until the supplier has decided, doubling the wait each time. */
  private async follow(part: Part): Promise<void> {
    const { supplierRecheckSeconds, supplierMaxDelayed } = this.input;
    const ref = part.reference ?? '';
    for (let delays = 0; ; ) {
      const { quantity, sku } = part.shortage;
      await sleep(Math.min(longestWaitMs, Math.round(supplierRecheckSeconds * 1000 * 2 ** delays)), {
        summary: `Wait before asking the supplier about ${quantity} of ${sku}`,
      });
      const status = await this.ask(part, (via, retryBudget) => via.supplierStatus(part.operation, ref, retryBudget));
      switch (status) {
        case unanswered:
          return this.fail(
            part,
            'supplier_unavailable',
            `did not report on its reservation: it ${faultDescriptions[part.fault]}`,
          );
        case 'fail':
          part.mayHoldGoods = false;
          return this.fail(part, 'supplier_failed', 'cannot deliver');
        case 'ok':
          this.events.push({ kind: 'ok', goods: part });
          return;
        case 'delayed':
          delays += 1;
          if (delays > supplierMaxDelayed)
            return this.fail(part, 'supplier_delayed', `reported a delay ${delays} times`);
          this.events.push({
            kind: 'delayed',
            id: `line-${part.shortage.line}-delay-${delays}`,
            detail: describe(part.shortage, `reports delay ${delays} of at most ${supplierMaxDelayed}`),
          });
      }
    }
  }

  private ask<T>(part: Part, call: Call<T>): Promise<T | typeof unanswered> {
    return ask('supplierReserve', this.input.retry, async (via, retryBudget) => {
      try {
        return await call(via, retryBudget);
      } catch (error) {
        part.fault = faultOf(error) ?? part.fault;
        throw error;
      }
    });
  }

  private fail({ shortage }: Part, code: SupplierFailureCode, what: string): void {
    this.events.push({ kind: 'failed', code, detail: describe(shortage, what) });
  }

  private cancellation(part: Part): [Parameters<Saga['undo']>[1], Parameters<Saga['undo']>[2]] {
    return [
      async (activities) => {
        if (part.mayHoldGoods) await activities.cancelAtSupplier(part.operation);
        part.mayHoldGoods = false;
      },
      () => ({
        orderId: this.input.orderId,
        supplierId: part.shortage.supplierId,
        sku: part.shortage.sku,
        quantity: part.shortage.quantity,
        idempotencyKey: part.operation.idempotencyKey,
        supplierReference: part.reference,
      }),
    ];
  }
}

function describe({ supplierId, quantity, sku }: Shortage, what: string): string {
  return `supplier ${supplierId} ${what} (${quantity} of ${sku})`;
}
