/**
 * A purchase in one go: the step with which an order begins to be paid for, the charge, the step that settles it. Nobody
 * could hear of a wish between them inside one workflow task, and what costs most is to enter the workflow between them
 * (docs/adr/0008). Each part has the key that it has when it is done alone: whatever is left undone or undecided is gone on
 * with by the activities that do one part each.
 */
import { log } from '@temporalio/activity';
import { type OrderStepResult, orderStepKey, type PaymentInFlight } from '../domain/orders/steps.js';
import { mailsAfter, paymentRecord } from '../domain/payments/record.js';
import { type Around, isGivenUp } from './context.js';
import type { OrderActivities } from './orders.js';
import type { CardOperation, ChargeProgress, PaymentActivities } from './payments.js';

type Opening = Parameters<OrderActivities['openOrder']>[0];
type Confirming = Parameters<OrderActivities['beginConfirm']>[0];

export interface Checkout {
  /** The step that begins it, by the activity that does that step alone. */
  readonly begin:
    | { readonly activity: 'openOrder'; readonly step: Opening }
    | { readonly activity: 'beginConfirm'; readonly step: Confirming };
  readonly customerId: string | null;
  readonly email: string | null;
  /** W3C traceparent. */
  readonly traceparent: string;
  /** Whether money may be taken; false where somebody wants to cancel. */
  readonly mayCapture: boolean;
}

/** How far a purchase came in one go. */
export interface CheckoutProgress {
  /** What the first step answered; null where Postgres could not be asked, and nothing was done after it. */
  readonly begun: OrderStepResult | null;
  /** What became of the charge; null where none was made. */
  readonly charge: ChargeProgress | null;
  /** What the settling step answered; null where it was not asked for, or did not answer. */
  readonly settled: OrderStepResult | null;
}

export interface CheckoutParts {
  readonly orders: Pick<OrderActivities, 'openOrder' | 'beginConfirm' | 'settleOrder'>;
  readonly payments: Pick<PaymentActivities, 'chargeCard'>;
  /** Surrounds each step in Postgres, by the name of the activity that does this step alone. */
  readonly around: Around;
}

export function checkoutActivities({ orders, payments, around }: CheckoutParts) {
  const apply = async (name: string, step: object, act: () => Promise<OrderStepResult>) => {
    try {
      return await around(name, step, act);
    } catch (error) {
      log.warn('a step of a purchase was not answered', { error, step: name });
      return null;
    }
  };

  return {
    /**
     * The whole purchase on the order's first card, as far as it comes: the charge by the rules of `chargeCard`, the
     * settling where the money was captured or nothing is to be paid by card. A payment that an earlier task has given a
     * card of up is left alone.
     */
    async checkoutOrder(checkout: Checkout): Promise<CheckoutProgress> {
      const { begin } = checkout;
      const { step } = begin;
      const begun = await apply(begin.activity, step, () =>
        begin.activity === 'openOrder' ? orders.openOrder(begin.step) : orders.beginConfirm(begin.step),
      );
      const soFar: CheckoutProgress = { begun, charge: null, settled: null };
      if (begun === null || begun.outcome === 'refused' || begun.state.status !== 'confirming') return soFar;

      const { inFlight, totalAmount: amount, currency } = begun.state;
      const settle = (cause: string, payment: Parameters<OrderActivities['settleOrder']>[0]['payment']) => {
        const { orderId, actor, traceId } = step;
        const key = orderStepKey(orderId, 'settle', cause);
        const settling = { key, orderId, actor, traceId, payment, mails: payment ? mailsAfter(payment) : [] };
        return apply('settleOrder', settling, () => orders.settleOrder(settling));
      };
      if (inFlight === null) return { ...soFar, settled: await settle('unpaid', null) };
      if (inFlight.abandoned.length > 0 || isGivenUp()) return soFar;

      const operation = operationOf(checkout, inFlight, amount, currency);
      const charge = await payments.chargeCard(operation, checkout.mayCapture);
      if (charge.captured?.kind !== 'captured' || charge.authorized?.kind !== 'authorized') return { ...soFar, charge };
      const { customerId, email } = checkout;
      const facts = { ...operation, orderId: step.orderId, customerId, email };
      const payment = paymentRecord(
        facts,
        'captured',
        {
          attempts: [{ card: operation.card, outcome: 'captured', code: null, at: new Date().toISOString() }],
          score: charge.score,
          providerReference: charge.authorized.authorizationId,
        },
        operation.card,
      );
      return { ...soFar, charge, settled: await settle(payment.id, payment) };
    },
  };
}

export type CheckoutActivities = ReturnType<typeof checkoutActivities>;

function operationOf(
  { begin, customerId, traceparent }: Checkout,
  { paymentId, choice }: PaymentInFlight,
  amount: number,
  currency: string,
): CardOperation {
  const reference = begin.step.orderId;
  return { paymentId, card: 'primary', token: choice.cardToken, amount, currency, reference, customerId, traceparent };
}
