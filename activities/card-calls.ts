/**
 * Calls to the fraud scorer and the card processor about one card. The payment and the card fix the key of each call, so any
 * call may be repeated.
 */
import type { CardOperation } from '../domain/purchase/steps.js';
import type { FraudGateway } from '../gateways/fraud/gateway.js';
import type { PaymentGateway } from '../gateways/payment/gateway.js';
import { callOptions } from './context.js';

export interface CardGateways {
  readonly payments: PaymentGateway;
  readonly fraud: FraudGateway;
  readonly gatewayTimeoutSeconds: number;
}

/** Every call may throw a GatewayFault, which leaves open whether the call took effect. */
export function cardCalls({ payments, fraud, gatewayTimeoutSeconds }: CardGateways) {
  const options = (operation: CardOperation) => callOptions(gatewayTimeoutSeconds, operation.traceparent);
  return {
    score: (operation: CardOperation) => fraud.score(operation, options(operation)),
    authorize: (operation: CardOperation) => {
      const { token, amount, currency, reference } = operation;
      const call = { idempotencyKey: keyOf(operation, 'authorize'), token, amount, currency, reference };
      return payments.authorize(call, options(operation));
    },
    findAuthorization: (operation: CardOperation) =>
      payments.findAuthorization(keyOf(operation, 'authorize'), options(operation)),
    capture: (operation: CardOperation, authorizationId: string) =>
      payments.capture(
        { idempotencyKey: keyOf(operation, 'capture'), authorizationId, amount: operation.amount },
        options(operation),
      ),
    findCapture: (operation: CardOperation) => payments.findCapture(keyOf(operation, 'capture'), options(operation)),
    void: (operation: CardOperation, authorizationId: string) =>
      payments.void({ idempotencyKey: keyOf(operation, 'void'), authorizationId }, options(operation)),
    refund: (operation: CardOperation, authorizationId: string, amount: number) =>
      payments.refund(
        {
          ...{ idempotencyKey: keyOf(operation, 'refund'), refundId: null },
          ...{ authorizationId, amount, currency: operation.currency },
        },
        options(operation),
      ),
    books: (operation: CardOperation, authorizationId: string) => payments.books(authorizationId, options(operation)),
  };
}

export type CardCalls = ReturnType<typeof cardCalls>;

function keyOf({ paymentId, card }: CardOperation, kind: 'authorize' | 'capture' | 'void' | 'refund'): string {
  return `${paymentId}/${card}/${kind}`;
}
