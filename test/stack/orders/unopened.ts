/** Sagas that no worker has begun: started where no worker asks for work, as the API does while none runs. */
import { type OrderInput, orderWorkflowId } from '../../../workflows/order/contract.js';
import { type PaymentInput, paymentWorkflowId } from '../../../workflows/payment/contract.js';
import { temporal } from '../../temporal.js';

const common = {
  retry: { retryBaseScale: 1, gatewayTimeoutSeconds: 1 },
  caller: { actor: 'test', traceparent: '', requestId: null },
};

async function start(type: 'order' | 'payment', workflowId: string, input: object): Promise<() => Promise<void>> {
  const client = await temporal();
  await client.workflow.start(type, { workflowId, taskQueue: 'nobody', args: [input] });
  return async () => {
    const { namespace } = client.options;
    await client.workflowService.deleteWorkflowExecution({ namespace, workflowExecution: { workflowId } });
  };
}

/** Returns a function that removes the order again. */
export function unopenedOrder(
  orderId: string,
  input: Pick<OrderInput, 'lines' | 'details'>,
): Promise<() => Promise<void>> {
  const whole: OrderInput = {
    ...{ orderId, customer: null, payment: null, confirm: false, ...input, ...common },
    ...{ holdSeconds: 900, draftSeconds: 900, supplierRecheckSeconds: 1, supplierMaxDelayed: 1 },
    requestedAt: new Date().toISOString(),
  };
  return start('order', orderWorkflowId(orderId), whole);
}

/** Returns a function that removes the payment again. */
export function unopenedPayment(paymentId: string): Promise<() => Promise<void>> {
  const whole: PaymentInput = {
    ...{ paymentId, amount: 900, currency: 'USD', cardToken: 'tok_visa', backupCardToken: null },
    ...{ customerId: null, email: null, reference: null, ...common, requestedAt: new Date().toISOString() },
  };
  return start('payment', paymentWorkflowId(paymentId), whole);
}
