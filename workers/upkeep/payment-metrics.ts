/** Metrics of payments: how they end, how long they take, what calls to processors cost, disputes and renewals. */
import { Counter, Histogram, type Registry } from 'prom-client';
import type { OrderStore } from '../../db/orders/store.js';
import type { OrderStep, PaymentRecord } from '../../domain/orders/steps.js';
import { type GatewayName, gatewayNames } from '../../domain/payments/gateways.js';
import { GatewayFault } from '../../gateways/http/fault.js';
import type { PaymentGateway } from '../../gateways/payment/gateway.js';

/**
 * How a payment ended. `declined`: the customer's card was refused. `blocked`: as suspected fraud. `failed`: for reasons of
 * ours or of the processor. `voided`: it was cancelled before its capture.
 */
const outcomes = ['captured', 'declined', 'blocked', 'failed', 'voided'] as const;
type Outcome = (typeof outcomes)[number];

export type BillingOutcome = 'paid' | 'failed' | 'unpaid';
const billingOutcomes: readonly BillingOutcome[] = ['paid', 'failed', 'unpaid'];

/** Payments in flight of which this process knows the start. */
const maxStarts = 10_000;

export class PaymentMetrics {
  private readonly ended: Counter<'gateway' | 'outcome'>;
  private readonly durations: Histogram<'gateway'>;
  private readonly calls: Histogram<'gateway' | 'call' | 'outcome'>;
  private readonly disputes: Counter<'gateway'>;
  private readonly billing: Counter<'gateway' | 'outcome'>;
  private readonly starts = new Map<string, number>();

  constructor(registry: Registry) {
    const registers = [registry];
    this.ended = new Counter({
      name: 'holdfast_payments_total',
      help: 'Payments that ended, by processor and outcome.',
      labelNames: ['gateway', 'outcome'],
      registers,
    });
    this.durations = new Histogram({
      name: 'holdfast_payment_duration_seconds',
      help: 'From the start of a payment to its end, retries and undone cards included.',
      labelNames: ['gateway'],
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800],
      registers,
    });
    this.calls = new Histogram({
      name: 'holdfast_payment_call_duration_seconds',
      help: 'Calls to card processors, by kind of call and outcome.',
      labelNames: ['gateway', 'call', 'outcome'],
      buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    });
    this.disputes = new Counter({
      name: 'holdfast_disputes_total',
      help: 'Disputes and inquiries that processors have reported.',
      labelNames: ['gateway'],
      registers,
    });
    this.billing = new Counter({
      name: 'holdfast_renewals_total',
      help: 'Charges of subscriptions, by processor and outcome: unpaid is the last failure.',
      labelNames: ['gateway', 'outcome'],
      registers,
    });
    // A rate misses a counter that first appears at 1.
    for (const gateway of gatewayNames) {
      this.disputes.inc({ gateway }, 0);
      for (const outcome of outcomes) this.ended.inc({ gateway, outcome }, 0);
      for (const outcome of billingOutcomes) this.billing.inc({ gateway, outcome }, 0);
    }
  }

  /** Counts a charge of a subscription. */
  onBilling = (outcome: BillingOutcome, gateway: GatewayName): void => this.billing.inc({ outcome, gateway });

  /** Counts disputes that are new. */
  onDisputes = (gateway: GatewayName, count: number): void => this.disputes.inc({ gateway }, count);

  /** Counts a payment that has ended. One that is still pending counts nothing. */
  onPayment = ({ id, status, gateway = 'sandbox', requestedAt }: PaymentRecord, standing = status): void => {
    const outcome = outcomeOf(standing);
    if (outcome === null) return;
    this.ended.inc({ gateway, outcome });
    const began = requestedAt === undefined ? this.starts.get(id) : Date.parse(requestedAt);
    this.starts.delete(id);
    if (began !== undefined) this.durations.observe({ gateway }, Math.max(0, (Date.now() - began) / 1000));
  };

  /** Measures the payments of orders. One that another process has started is counted, and not timed. */
  orders(store: OrderStore): OrderStore {
    return {
      apply: async (step) => {
        const starting = startedBy(step);
        if (starting !== null && this.starts.size < maxStarts) this.starts.set(starting, Date.now());
        const result = await store.apply(step);
        const payment = 'payment' in step && step.payment !== null && 'status' in step.payment ? step.payment : null;
        if (payment !== null && result.outcome === 'done') this.onPayment(payment);
        return result;
      },
    };
  }

  /** The gateway, with each call timed. */
  measured(gateway: PaymentGateway): PaymentGateway {
    const { name } = gateway;
    const timed =
      <Args extends unknown[], T>(call: string, make: (...args: Args) => Promise<T>) =>
      async (...args: Args): Promise<T> => {
        const stop = this.calls.startTimer({ gateway: name, call });
        try {
          const answer = await make(...args);
          stop({ outcome: 'answered' });
          return answer;
        } catch (error) {
          stop({ outcome: error instanceof GatewayFault ? error.fault : 'error' });
          throw error;
        }
      };
    return {
      ...gateway,
      authorize: timed('authorize', gateway.authorize),
      findAuthorization: timed('find_authorization', gateway.findAuthorization),
      capture: timed('capture', gateway.capture),
      findCapture: timed('find_capture', gateway.findCapture),
      void: timed('void', gateway.void),
      ...(gateway.cancel && { cancel: timed('cancel', gateway.cancel) }),
      undoCapture: timed('undo_capture', gateway.undoCapture),
      refund: timed('refund', gateway.refund),
      findRefund: timed('find_refund', gateway.findRefund),
      read: timed('read', gateway.read),
      list: timed('list', gateway.list),
    };
  }
}

/** The payment that a step starts; null: none. */
function startedBy(step: OrderStep): string | null {
  return 'payment' in step && step.payment !== null && 'paymentId' in step.payment ? step.payment.paymentId : null;
}

function outcomeOf(status: PaymentRecord['status']): Outcome | null {
  // Returned money of a charge that could not be settled.
  if (status === 'refunded') return 'failed';
  return outcomes.find((outcome) => outcome === status) ?? null;
}
