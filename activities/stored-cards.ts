/** Cards that are kept at their processor, for payments that nobody is there to confirm. */
import type { CardRefusal } from '../domain/payments/answers.js';
import type { GatewayName } from '../domain/payments/gateways.js';
import type { CardSlot } from '../domain/payments/states.js';
import type { StoredCard } from '../domain/subscriptions/states.js';
import type { PaymentGateway } from '../gateways/payment/gateway.js';
import { attemptNumber, callOptions } from './context.js';
import { askGateway, type RetryBudget } from './failures.js';

/** A card to store. Its keys at the processor are made of `subscriptionId`, `cause` and `card`. */
export interface StoreCardRequest {
  readonly gateway: GatewayName;
  readonly subscriptionId: string;
  readonly card: CardSlot;
  /** Why it is stored: another cause is another card. */
  readonly cause: string;
  readonly token: string;
  /** The client's id of the customer. */
  readonly customerId: string;
  /** W3C. */
  readonly traceparent: string;
  /** The customer at the processor, if the subscription has one. */
  readonly customer: string | null;
}

export interface StoredCardDependencies {
  readonly gatewayOf: (name: GatewayName) => PaymentGateway;
  readonly customers: ProcessorCustomers;
  readonly gatewayTimeoutSeconds: number;
}

/** Where the processors' customers are kept (db/payments/provider-ids.ts). */
interface ProcessorCustomers {
  find(ownerId: string): Promise<string | null>;
  remember(ownerId: string, gateway: GatewayName, customer: string): Promise<string>;
}

export function storedCardActivities({ gatewayOf, customers, gatewayTimeoutSeconds }: StoredCardDependencies) {
  return {
    /**
     * Stores a card at the processor of a subscription. No money moves. Repeated, it stores the card once, and a subscription
     * has one customer there, whatever answers are lost.
     */
    async storeCard(
      { gateway: name, subscriptionId, card, cause, token, customerId, traceparent, customer }: StoreCardRequest,
      retryBudget: RetryBudget | null = null,
    ): Promise<{ readonly kind: 'stored'; readonly card: StoredCard } | CardRefusal> {
      const gateway = gatewayOf(name);
      const known = customer ?? (gateway.storesIds ? await customers.find(subscriptionId) : null);
      const remember = (made: string) => customers.remember(subscriptionId, name, made);
      const call = { ownerId: subscriptionId, cause, card, token, customerId };
      const options = callOptions(gatewayTimeoutSeconds, traceparent);
      return askGateway(() => gateway.storeCard(call, { known, remember }, options), retryBudget, attemptNumber());
    },
  };
}

export type StoredCardActivities = ReturnType<typeof storedCardActivities>;
