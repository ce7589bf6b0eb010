/** The processors' ids of card operations, stored before money moves. */
import type { GatewayName } from '../../domain/payments/gateways.js';
import type { CardSlot } from '../../domain/payments/states.js';
import type { Sql } from '../postgres/client.js';

export function providerIds(sql: Sql) {
  return {
    async find(paymentId: string, card: CardSlot): Promise<string | null> {
      const [row] = await sql<{ id: string }[]>`
        select provider_id as id from provider_operations where payment_id = ${paymentId} and card = ${card}`;
      return row?.id ?? null;
    },

    /**
     * Stores the processor's id of a card's operation; the first one stays. Throws if the card was given up, or if another
     * id is stored: then no money may be moved under this one.
     */
    async remember(paymentId: string, card: CardSlot, gateway: GatewayName, providerId: string): Promise<void> {
      const [row] = await sql<{ stored: string | null }[]>`
        select provider_remember(${paymentId}, ${card}, ${gateway}, ${providerId}) as stored`;
      const stored = row?.stored ?? null;
      if (stored === null) throw new Error(`the ${card} card of payment ${paymentId} was given up`);
      if (stored !== providerId)
        throw new Error(`the ${card} card of payment ${paymentId} has another operation at ${gateway}`);
    },
  };
}

/** The processors' ids of owners of stored cards, a subscription each. They stand among the operations: an id of ours and of theirs. */
export function processorCustomers(sql: Sql) {
  const ids = providerIds(sql);
  return {
    find: (ownerId: string): Promise<string | null> => ids.find(ownerId, 'primary'),

    /** Stores the customer before a card is attached to it. Returns the one that is stored: the first stays. */
    async remember(ownerId: string, gateway: GatewayName, customer: string): Promise<string> {
      const [row] = await sql<{ stored: string | null }[]>`
        select provider_remember(${ownerId}, 'primary', ${gateway}, ${customer}) as stored`;
      if (!row?.stored) throw new Error(`the customer of ${ownerId} could not be stored`);
      return row.stored;
    },
  };
}
