/** Puts whole objects in place of their ids, where a call asks for it. */
import { invalid } from './errors.js';
import type { Payments } from './payments.js';
import { chargeView, customerView, intentView, type Json, methodView } from './views.js';

/**
 * The object with those parts in place of their ids that `expand` names, of a list with `data.` before them.
 * Throws Stripe's 400 for what cannot be expanded.
 */
export function expanded(payments: Payments, object: Json, expand: readonly string[] = []): Json {
  return expand.reduce((body, path) => expandOne(payments, body, path), object);
}

function expandOne(payments: Payments, object: Json, path: string): Json {
  const [first = '', ...rest] = path.split('.');
  if (first === 'data' && Array.isArray(object.data))
    return { ...object, data: object.data.map((item) => expandOne(payments, item, rest.join('.'))) };
  if (!Object.hasOwn(object, first)) throw invalid(`This property cannot be expanded (${first}).`, 'expand');
  const inside = object[first];
  if (inside === null) return object;
  const whole = typeof inside === 'string' ? partOf(payments, first, inside) : inside;
  if (!isJson(whole)) throw invalid(`This property cannot be expanded (${first}).`, 'expand');
  return { ...object, [first]: rest.length > 0 ? expandOne(payments, whole, rest.join('.')) : whole };
}

function partOf(payments: Payments, name: string, id: string): Json | undefined {
  switch (name) {
    case 'latest_charge':
    case 'charge': {
      const charge = payments.authorizationOfCharge(id);
      return charge && chargeView(payments, charge);
    }
    case 'payment_intent': {
      const intent = payments.intent(id);
      return intent && intentView(payments, intent);
    }
    case 'payment_method': {
      const method = payments.method(id);
      return method && methodView(method);
    }
    case 'customer': {
      const customer = payments.asked.customers.get(id);
      return customer && customerView(customer);
    }
    default:
      return undefined;
  }
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
