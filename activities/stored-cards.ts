/** Cards that are kept for renewals. */
import type { CardRefusal } from '../domain/payments/answers.js';
import type { GatewayName } from '../domain/payments/gateways.js';
import type { CardSlot } from '../domain/payments/states.js';
import type { StoredCard } from '../domain/subscriptions/states.js';

export interface StoreCardRequest {
  readonly gateway: GatewayName;
  readonly subscriptionId: string;
  readonly card: CardSlot;
  /** What the card is stored for: `open`, or a command's id. */
  readonly cause: string;
  readonly token: string;
  readonly customerId: string;
  readonly traceparent: string;
  /** At the processor, if it has one already. */
  readonly customer: string | null;
}

export type StoreCardAnswer = { readonly kind: 'stored'; readonly card: StoredCard } | CardRefusal;

export function storedCardActivities() {
  return {
    /** Keeps a card at the processor. The sandbox's tokens may be used any number of times. */
    async storeCard({ token }: StoreCardRequest): Promise<StoreCardAnswer> {
      return { kind: 'stored', card: { token, customer: null } };
    },
  };
}

export type StoredCardActivities = ReturnType<typeof storedCardActivities>;
