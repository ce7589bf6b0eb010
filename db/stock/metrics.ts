/**
 * Metrics of the ledger and the stores for Prometheus: the time until the result of an operation is durable, the
 * outcomes of requests for goods, and how orders and transfers end. The API and the workers share them.
 */
import { Counter, Histogram, type Registry } from 'prom-client';
import { isSettled } from '../../domain/orders/states.js';
import type { OrderStep, OrderStepResult } from '../../domain/orders/steps.js';
import type { StockOperation, StockResult } from '../../domain/stock.js';
import { isTransferEnded } from '../../domain/transfers/states.js';
import type { TransferStep, TransferStepResult } from '../../domain/transfers/steps.js';
import type { OrderStore } from '../orders/store.js';
import type { RefundStore } from '../refunds/store.js';
import type { TransferStore } from '../transfers/store.js';
import type { Ledger } from './ledger.js';

type RequestKind = 'reserve' | 'consume' | 'order' | 'transfer';
type Outcome = 'met' | 'insufficient_stock' | 'refused';

const requestKinds: readonly RequestKind[] = ['reserve', 'consume', 'order', 'transfer'];
const outcomes: readonly Outcome[] = ['met', 'insufficient_stock', 'refused'];

export class StockMetrics {
  private readonly durations: Histogram<'kind'>;
  private readonly requests: Counter<'request' | 'outcome'>;
  private readonly sagas: Counter<'saga' | 'outcome'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.durations = new Histogram({
      name: 'holdfast_stock_operation_duration_seconds',
      help: 'Time from the call of a stock operation to its durable result, including the wait for a batch.',
      labelNames: ['kind'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    });
    this.requests = new Counter({
      name: 'holdfast_stock_requests_total',
      help: 'Requests for goods (direct holds, immediate sales, order lines, transfers), by outcome.',
      labelNames: ['request', 'outcome'],
      registers,
    });
    this.sagas = new Counter({
      name: 'holdfast_sagas_total',
      help: 'Orders, payments, transfers and refunds that ended, by outcome.',
      labelNames: ['saga', 'outcome'],
      registers,
    });
    // An alert on the increase misses a counter that first appears at 1.
    for (const outcome of ['succeeded', 'failed']) this.sagas.inc({ saga: 'refund', outcome }, 0);
    for (const request of requestKinds) for (const outcome of outcomes) this.requests.inc({ request, outcome }, 0);
  }

  /** Measures the ledger. A repeated operation is timed but not counted again. */
  ledger(ledger: Ledger): Ledger {
    return {
      apply: async (operations) => {
        const began = performance.now();
        const results = await ledger.apply(operations);
        const seconds = (performance.now() - began) / 1000;
        for (const [index, operation] of operations.entries()) {
          this.durations.observe({ kind: kindOf(operation) }, seconds);
          const result = results[index];
          if (result) this.countOperation(operation, result);
        }
        return results;
      },
    };
  }

  /** Measures the order store. */
  orders(store: OrderStore): OrderStore {
    return {
      apply: async (step) => {
        const result = await this.timed(`order/${step.step}`, () => store.apply(step));
        this.countOrder(step, result);
        for (const { to } of result.transitions) if (isSettled(to)) this.sagaEnded('order', to);
        return result;
      },
    };
  }

  /** Measures the transfer store. */
  transfers(store: TransferStore): TransferStore {
    return {
      apply: async (step) => {
        const result = await this.timed(`transfer/${step.step}`, () => store.apply(step));
        this.countTransfer(step, result);
        for (const { to } of result.transitions) if (isTransferEnded(to)) this.sagaEnded('transfer', to);
        return result;
      },
    };
  }

  /** Measures the refund store. A refund that fails after it succeeded ends twice. */
  refunds(store: RefundStore): RefundStore {
    return {
      apply: async (step) => {
        const result = await this.timed(`refund/${step.step}`, () => store.apply(step));
        for (const { to } of result.transitions) if (to !== 'pending') this.sagaEnded('refund', to);
        return result;
      },
    };
  }

  sagaEnded(saga: 'order' | 'payment' | 'transfer' | 'refund', outcome: string): void {
    this.sagas.inc({ saga, outcome });
  }

  private async timed<T>(kind: string, call: () => Promise<T>): Promise<T> {
    const stop = this.durations.startTimer({ kind });
    const result = await call();
    stop();
    return result;
  }

  private countOperation({ commands }: StockOperation, result: StockResult): void {
    if (result.replayed) return;
    for (const { kind } of commands) {
      if (kind !== 'reserve' && kind !== 'consume') continue;
      const outcome = result.outcome === 'done' ? 'met' : outcomeOf(result.refusal.code);
      this.requests.inc({ request: kind, outcome });
    }
  }

  private countOrder(step: OrderStep, result: OrderStepResult): void {
    const lines = step.step === 'open' ? step.lines.length : step.step === 'add_line' ? 1 : 0;
    if (lines === 0) return;
    const short = result.state?.status === 'awaiting_restock';
    const done = result.outcome === 'done';
    const outcome = short ? 'insufficient_stock' : done ? 'met' : outcomeOf(result.refusal.code);
    this.requests.inc({ request: 'order', outcome });
  }

  private countTransfer(step: TransferStep, result: TransferStepResult): void {
    if (step.step !== 'open') return;
    const outcome = result.outcome === 'done' ? 'met' : outcomeOf(result.refusal.code);
    this.requests.inc({ request: 'transfer', outcome });
  }
}

/** The kind of the commands; `several` if they differ. */
function kindOf({ commands }: StockOperation): string {
  const [first] = commands;
  return first && commands.every(({ kind }) => kind === first.kind) ? first.kind : 'several';
}

function outcomeOf(code: string): Outcome {
  return code === 'insufficient_stock' ? 'insufficient_stock' : 'refused';
}
