/** Customers and payment methods. */
import type { z } from 'zod';
import type { Method } from './books.js';
import { invalid, missing } from './errors.js';
import type { Execution, Ledger } from './ledger.js';
import type { createCustomer } from './parameters.js';
import { customerView, type Json, methodView } from './views.js';

/** Names of cards that everybody may use. Each use makes a payment method of its own. */
const testCards = new Set([
  'pm_card_visa',
  'pm_card_mastercard',
  'pm_card_chargeDeclined',
  'pm_card_chargeDeclinedInsufficientFunds',
  'pm_card_chargeDeclinedLostCard',
  'pm_card_chargeDeclinedStolenCard',
  'pm_card_chargeDeclinedExpiredCard',
  'pm_card_chargeCustomerFail',
  'pm_card_authenticationRequired',
  'pm_card_createDispute',
  'pm_card_createDisputeInquiry',
]);

/** A test card as it looks before a use makes a payment method of it. */
export function testMethod(named: string): Method | undefined {
  return testCards.has(named)
    ? { id: named, token: named, createdAt: Date.now(), customer: null, usedBy: null }
    : undefined;
}

/** @param named a payment method, a test card, or a token */
export async function findMethod(ledger: Ledger, execution: Execution, named: string, param: string): Promise<Method> {
  const existing = ledger.payments.method(named);
  if (existing) return existing;
  if (!testCards.has(named) && !named.startsWith('tok_')) throw missing('PaymentMethod', named, param);
  const id = `pm_${execution.id}`;
  if (!ledger.asked.methods.has(id)) await ledger.post({ type: 'method', at: Date.now(), id, token: named });
  const made = ledger.payments.method(id);
  if (!made) throw new Error(`payment method ${id} is not in the books`);
  return made;
}

export async function createCustomerOf(
  ledger: Ledger,
  execution: Execution,
  params: z.infer<typeof createCustomer>,
): Promise<Json> {
  const id = `cus_${execution.id}`;
  const { email = null, name = null, description = null, metadata = {} } = params;
  if (params.payment_method !== undefined)
    await attachNamed(ledger, execution, params.payment_method, async () => {
      await enter();
      return id;
    });
  else await enter();
  const customer = ledger.asked.customers.get(id);
  if (!customer) throw new Error(`customer ${id} is not in the books`);
  return customerView(customer);

  async function enter(): Promise<void> {
    if (ledger.asked.customers.has(id)) return;
    await ledger.post({ type: 'customer', at: Date.now(), id, email, name, description, metadata });
  }
}

export async function attachMethodTo(
  ledger: Ledger,
  execution: Execution,
  named: string,
  customer: string,
): Promise<Json> {
  if (!ledger.asked.customers.has(customer)) throw missing('customer', customer, 'customer');
  return attachNamed(ledger, execution, named, async () => customer);
}

async function attachNamed(
  ledger: Ledger,
  execution: Execution,
  named: string,
  customerOf: () => Promise<string>,
): Promise<Json> {
  const method = await findMethod(ledger, execution, named, 'payment_method');
  if (method.customer === null && method.usedBy !== null)
    throw invalid('This PaymentMethod was previously used without being attached. It may not be used again.');
  const customer = await customerOf();
  if (method.customer !== null && method.customer !== customer)
    throw invalid('The payment method you provided has already been attached to a customer.', 'payment_method');
  await attach(ledger, method, customer);
  return methodView({ ...method, customer });
}

export async function attach(ledger: Ledger, { id, customer: owner }: Method, customer: string): Promise<void> {
  if (owner === null && ledger.asked.methods.has(id))
    await ledger.post({ type: 'attached', at: Date.now(), method: id, customer });
}
