/**
 * What is said between an order and the suppliers of what it lacks. Each shortage is asked for by itself and all at the
 * same time; what comes of it is news, which the saga takes one at a time.
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

/** What the suppliers have said. `accepted` comes once, when all of them have. */
export type News =
  | { readonly kind: 'accepted'; readonly reference: string }
  | { readonly kind: 'delayed'; readonly id: string; readonly detail: string }
  | { readonly kind: 'ok'; readonly goods: Goods }
  | { readonly kind: 'failed'; readonly code: SupplierFailureCode; readonly detail: string };

/** One shortage on its way. */
export interface Goods {
  readonly shortage: Shortage;
  /** The supplier's own name for it; null until it was accepted. */
  reference: string | null;
  /** Whether the supplier may have put something aside that is not ours yet. */
  mayHoldGoods: boolean;
}

interface Part extends Goods {
  readonly operation: SupplierOperation;
  readonly saga: Saga;
  /** What kept its last call from being answered. */
  fault: Fault;
}

/** Waits double, but a supplier is asked once a day at least. */
const longestWaitMs = 86_400_000;

export class SupplierTalks {
  private readonly news: News[] = [];
  private readonly scope = new CancellationScope();
  private readonly parts: readonly Part[];
  private talk: Promise<void> = Promise.resolve();

  /** @param onReview carried out when cancelling at a supplier has failed so often that a person is told */
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

  begin(): void {
    this.talk = this.scope
      .run(async () => {
        await this.withEach((part) => this.reserve(part));
        if (this.parts.some((part) => part.reference === null)) return;
        this.news.push({ kind: 'accepted', reference: this.parts.map((part) => part.reference).join(', ') });
        await this.withEach((part) => this.follow(part));
      })
      .catch((error: unknown) => {
        if (!isCancellation(error)) throw error;
      });
  }

  get hasNews(): boolean {
    return this.news.length > 0;
  }

  takeNews(): News | undefined {
    return this.news.shift();
  }

  /** Says no more. */
  async end(): Promise<void> {
    this.scope.cancel();
    await this.talk;
  }

  /**
   * Says no more, and cancels at every supplier what he may have put aside and is not ours.
   * @param received lines whose goods are ours
   */
  async giveUp(received: readonly number[]): Promise<void> {
    await this.end();
    for (const part of this.parts) if (received.includes(part.shortage.line)) part.mayHoldGoods = false;
    await Promise.all(this.parts.map((part) => part.saga.compensate()));
  }

  /** Ends when all have ended, so that nothing is on its way any more when it was cancelled. */
  private async withEach(talk: (part: Part) => Promise<void>): Promise<void> {
    const ends = await Promise.allSettled(this.parts.map(talk));
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

  /** Asks until the supplier has decided, each time after twice the wait. */
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
            `does not say what has become of its reservation: it ${faultDescriptions[part.fault]}`,
          );
        case 'fail':
          part.mayHoldGoods = false;
          return this.fail(part, 'supplier_failed', 'cannot deliver');
        case 'ok':
          this.news.push({ kind: 'ok', goods: part });
          return;
        case 'delayed':
          delays += 1;
          if (delays > supplierMaxDelayed)
            return this.fail(part, 'supplier_delayed', `said ${delays} times that it delays`);
          this.news.push({
            kind: 'delayed',
            id: `line-${part.shortage.line}-delay-${delays}`,
            detail: say(part.shortage, `delays, ${delays} of at most ${supplierMaxDelayed} times`),
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
    this.news.push({ kind: 'failed', code, detail: say(shortage, what) });
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

function say({ supplierId, quantity, sku }: Shortage, what: string): string {
  return `supplier ${supplierId} ${what} (${quantity} of ${sku})`;
}
