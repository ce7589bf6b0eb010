/**
 * Calls to the fraud scorer and to the card processor of a payment about one card. The payment and the card fix the key of
 * each call, so any call may be repeated.
 */

import type { GatewayName } from '../domain/payments/gateways.js';
import type { CardSlot } from '../domain/payments/states.js';
import type { CardOperation } from '../domain/purchase/steps.js';
import type { FraudGateway } from '../gateways/fraud/gateway.js';
import type { PaymentGateway } from '../gateways/payment/gateway.js';
import type { PaymentGateways } from '../gateways/payment/registry.js';
import { callOptions } from './context.js';

export interface CardGateways {
  readonly payments: PaymentGateways;
  readonly fraud: FraudGateway;
  readonly ids: StoredProviderIds;
  readonly gatewayTimeoutSeconds: number;
}

/** Where the processors' ids of operations are kept (db/payments/provider-ids.ts). */
interface StoredProviderIds {
  find(paymentId: string, card: CardSlot): Promise<string | null>;
  /** Rejects if the card was given up. */
  remember(paymentId: string, card: CardSlot, gateway: GatewayName, providerId: string): Promise<void>;
}

/** Every call may throw a GatewayFault, which leaves open whether the call took effect. */
export function cardCalls({ payments, fraud, ids, gatewayTimeoutSeconds }: CardGateways) {
  const options = (operation: CardOperation) => callOptions(gatewayTimeoutSeconds, operation.traceparent);
  /** The processor that the payment was made at, whatever the setting says now. */
  const gatewayOf = ({ gateway = 'sandbox' }: CardOperation) => payments.of(gateway);
  const knownId = async (gateway: PaymentGateway, { paymentId, card }: CardOperation) =>
    gateway.storesIds ? await ids.find(paymentId, card) : null;

  return {
    /** A renewal is not scored. */
    score: async (operation: CardOperation) =>
      operation.merchantInitiated ? 0 : await fraud.score(operation, options(operation)),
    async authorize(operation: CardOperation) {
      const gateway = gatewayOf(operation);
      const { paymentId, card } = operation;
      const known = await knownId(gateway, operation);
      const remember = (providerId: string) => ids.remember(paymentId, card, gateway.name, providerId);
      return await gateway.authorize(operation, { known, remember }, options(operation));
    },
    async findAuthorization(operation: CardOperation) {
      const gateway = gatewayOf(operation);
      return await gateway.findAuthorization(operation, await knownId(gateway, operation), options(operation));
    },
    capture: (operation: CardOperation, authorizationId: string) =>
      gatewayOf(operation).capture(operation, authorizationId, options(operation)),
    findCapture: (operation: CardOperation, authorizationId: string) =>
      gatewayOf(operation).findCapture(operation, authorizationId, options(operation)),
    void: (operation: CardOperation, authorizationId: string) =>
      gatewayOf(operation).void(operation, authorizationId, options(operation)),
    /** Null where the processor has no such call. */
    async cancel(operation: CardOperation) {
      const gateway = gatewayOf(operation);
      if (gateway.cancel === undefined) return null;
      return await gateway.cancel(operation, await knownId(gateway, operation), options(operation));
    },
    undoCapture: (operation: CardOperation, authorizationId: string, amount: number) =>
      gatewayOf(operation).undoCapture(operation, authorizationId, amount, options(operation)),
    read: (operation: CardOperation, authorizationId: string) =>
      gatewayOf(operation).read(authorizationId, options(operation)),
  };
}

export type CardCalls = ReturnType<typeof cardCalls>;
