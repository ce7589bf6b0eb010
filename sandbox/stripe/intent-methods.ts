/** The payment method of a PaymentIntent: which one it is, and whether it may pay. */
import type { z } from 'zod';
import { behaviourOf, isUsed } from '../payments/tokens.js';
import type { Intent, Method } from './books.js';
import { invalid, missing } from './errors.js';
import type { Execution, Ledger } from './ledger.js';
import { attach, findMethod } from './methods.js';
import type { confirmIntent } from './parameters.js';

/** The payment method that the parameters name, else the one of the intent. */
export async function methodFor(
  ledger: Ledger,
  execution: Execution,
  { payment_method: named, payment_method_data: data }: z.infer<typeof confirmIntent>,
  intent: Intent | null,
): Promise<Method | null> {
  if (named !== undefined && data)
    throw invalid('You may only specify one of these parameters: payment_method, payment_method_data.');
  const token = data?.card.token;
  if (token !== undefined) {
    if (!token.startsWith('tok_')) throw missing('token', token, 'payment_method_data[card][token]');
    checkToken(token, 'payment_method_data[card][token]');
  }
  const wanted = token ?? named ?? intent?.method;
  return wanted == null ? null : findMethod(ledger, execution, wanted, 'payment_method');
}

export function checkToken(token: string, param: string): void {
  if (isUsed(behaviourOf(token)))
    throw invalid(`You cannot use a Stripe token more than once: ${token}.`, param, 'token_already_used');
}

/** Throws if the method belongs to somebody else, or has paid before without belonging to anybody. */
export function checkUse({ id, customer, usedBy }: Method, intent: string, payer: string | null): void {
  if (customer !== null && customer !== payer)
    throw invalid(`The PaymentMethod ${id} belongs to a Customer. Please include that Customer.`, 'payment_method');
  if (customer === null && usedBy !== null && usedBy !== intent)
    throw invalid(
      'The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment. It may not be used again.',
      'payment_method',
    );
}

/** A method that was set up for later payments belongs to the customer once it has paid. */
export async function keepMethod(ledger: Ledger, intent: Intent, method: Method): Promise<void> {
  if (intent.setupFutureUsage !== null && intent.customer !== null && method.customer === null)
    await attach(ledger, method, intent.customer);
}
