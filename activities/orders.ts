/** The steps of an order. Each is one transaction over the order, its stock, its payment and its outbox rows. */
import { log } from '@temporalio/activity';
import type { OrderStore } from '../db/orders/store.js';
import type { OrderStep, OrderStepResult, PendingPayment } from '../domain/orders/steps.js';
import type { GatewayName } from '../domain/payments/gateways.js';
import type { CustomerLimits } from '../domain/payments/limits.js';

type Step<Name extends OrderStep['step']> = Omit<Extract<OrderStep, { step: Name }>, 'step'>;

/**
 * A step repeated with its key returns its first answer. domain/orders/steps.ts describes each step.
 * @param gateway the processor of the payments that steps start
 * @param limits of their customers; null: none
 */
export function orderActivities(store: OrderStore, gateway: GatewayName, limits: CustomerLimits | null) {
  const at = <Starting extends { readonly payment: PendingPayment | null }>(step: Starting): Starting =>
    step.payment === null ? step : { ...step, payment: { ...step.payment, gateway }, ...(limits && { limits }) };
  async function apply(step: OrderStep): Promise<OrderStepResult> {
    const result = await store.apply(step);
    for (const { from, to } of result.transitions)
      log.info('order moved', { orderId: step.orderId, from, to, actor: step.actor, traceId: step.traceId });
    return result;
  }
  return {
    openOrder: (step: Step<'open'>) => apply({ ...at(step), step: 'open' }),
    addOrderLine: (step: Step<'add_line'>) => apply({ ...step, step: 'add_line' }),
    awaitSupplier: (step: Step<'await_supplier'>) => apply({ ...step, step: 'await_supplier' }),
    restockOrder: (step: Step<'restock'>) => apply({ ...at(step), step: 'restock' }),
    giveUpRestock: (step: Step<'give_up_restock'>) => apply({ ...step, step: 'give_up_restock' }),
    releaseOrder: (step: Step<'release'>) => apply({ ...step, step: 'release' }),
    beginConfirm: (step: Step<'begin_confirm'>) => apply({ ...at(step), step: 'begin_confirm' }),
    abandonCard: (step: Step<'abandon_card'>) => apply({ ...step, step: 'abandon_card' }),
    refusePayment: (step: Step<'refuse_payment'>) => apply({ ...step, step: 'refuse_payment' }),
    settleOrder: (step: Step<'settle'>) => apply({ ...step, step: 'settle' }),
    closeOrder: (step: Step<'close'>) => apply({ ...step, step: 'close' }),
    expireOrder: (step: Step<'expire'>) => apply({ ...step, step: 'expire' }),
    noteOrder: (step: Step<'note'>) => apply({ ...step, step: 'note' }),
  };
}

export type OrderActivities = ReturnType<typeof orderActivities>;
