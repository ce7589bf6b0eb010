/**
 * Idempotency keys at Stripe. Stripe stores the answer to a key once it has begun to execute, server errors included: the same
 * key then gets the same error until it is forgotten, after 24 hours. Such an answer is stuck, and the next key follows.
 */
import { GatewayFault } from '../../http/fault.js';
import { gateway, type Transport } from './transport.js';

const maxKeys = 5;

/**
 * Makes one attempt under the key, and further ones under the keys that follow it while the answer is stuck. Only for
 * requests that cannot take effect twice.
 * @param attempt returns null if the stored answer no longer fits the state of the object
 */
export async function underKeys<T>(
  transport: Transport,
  key: string,
  attempt: (key: string, number: number) => Promise<T | null>,
): Promise<T> {
  for (let number = 1; number <= maxKeys; number++) {
    try {
      const answer = await attempt(number === 1 ? key : `${key}/${number}`, number);
      if (answer !== null) return answer;
    } catch (error) {
      const stuck = error instanceof GatewayFault && error.fault === 'server_error' && transport.wasReplayed();
      if (!stuck) throw error;
    }
  }
  throw new GatewayFault(gateway, 'server_error', `the answers to ${maxKeys} keys are stored errors`);
}
