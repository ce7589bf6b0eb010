/** Cards at Stripe: tokens made into payment methods, and payment methods that belong to a customer and can pay again. */
import type Stripe from 'stripe';
import type { CardRefusal } from '../../../domain/payments/answers.js';
import type { CustomerIds, StoreCardAnswer, StoreCardCall } from '../gateway.js';
import { underKeys } from './keys.js';
import { readCustomer, readMethod } from './objects.js';
import { ask, declined, unexpected } from './refusals.js';
import type { Transport } from './transport.js';

/**
 * The payment method of a token, which works once; a payment method is its own.
 * @param key of the request that makes it
 */
export async function methodOfToken(
  stripe: Stripe,
  transport: Transport,
  token: string,
  key: string,
): Promise<string | CardRefusal> {
  if (token.startsWith('pm_')) return token;
  return await underKeys(transport, key, async (idempotencyKey) => {
    const params = { type: 'card', card: { token } } as const;
    const answer = await ask('payment method', () => stripe.paymentMethods.create(params, { idempotencyKey }));
    return answer.kind === 'refused' ? declined(answer) : readMethod(answer.value).id;
  });
}

export interface Cards {
  store(call: StoreCardCall, ids: CustomerIds): Promise<StoreCardAnswer>;
}

/** @param installation names this installation in the metadata of a customer */
export function createCards(stripe: Stripe, transport: Transport, installation: string): Cards {
  /** A lost answer leads to the same customer, since its key names only its owner. */
  const newCustomer = ({ ownerId, customerId }: StoreCardCall): Promise<string> =>
    underKeys(transport, `${ownerId}/customer`, async (idempotencyKey) => {
      const params = { metadata: { installation, ownerId, customerId } };
      const answer = await ask('customer', () => stripe.customers.create(params, { idempotencyKey }));
      if (answer.kind === 'refused') throw unexpected('customer', answer);
      return readCustomer(answer.value).id;
    });

  return {
    async store(call, ids) {
      const key = `${call.ownerId}/${call.cause}/${call.card}`;
      // First of all: a used token makes no customer.
      const method = await methodOfToken(stripe, transport, call.token, `${key}/method`);
      if (typeof method !== 'string') return method;
      const customer = ids.known ?? (await ids.remember(await newCustomer(call)));
      return await underKeys(transport, `${key}/attach`, async (idempotencyKey) => {
        const attach = () => stripe.paymentMethods.attach(method, { customer }, { idempotencyKey });
        const answer = await ask('attach', attach);
        if (answer.kind === 'refused') return declined(answer);
        return { kind: 'stored', card: { token: readMethod(answer.value).id, customer } };
      });
    },
  };
}
