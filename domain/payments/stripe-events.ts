/**
 * Which payment an event of Stripe is about. Nothing else of an event is used: it may be old, and the payment is read
 * afresh.
 */

/** The events that change something for a payment of ours. */
export const stripeEventTypes = [
  'payment_intent.amount_capturable_updated',
  'payment_intent.succeeded',
  'payment_intent.payment_failed',
  'payment_intent.canceled',
  'charge.expired',
  'charge.refunded',
  'charge.dispute.created',
  'charge.dispute.updated',
  'charge.dispute.closed',
  'charge.dispute.funds_withdrawn',
  'charge.dispute.funds_reinstated',
  'refund.created',
  'refund.updated',
  'refund.failed',
] as const;

/** An event, as far as it is used. */
export interface StripeEvent {
  readonly id: string;
  readonly type: string;
  /** Seconds since 1970. */
  readonly created: number;
  /** It is of a type that changes a payment. */
  readonly ofInterest: boolean;
  /** The PaymentIntent; null if the event is of another type, or says that another installation made the payment. */
  readonly paymentIntentId: string | null;
  /** The event names this installation. An event that names none can still be about a payment of ours. */
  readonly namesUs: boolean;
}

/** An id or a type, for a text column: bounded, visible ASCII. */
const name = /^[\x21-\x7e]{1,255}$/;
const paymentIntentId = /^pi_[A-Za-z0-9_]{1,124}$/;

/**
 * Reads an event, of the API's older style or a thin one; null if it is neither.
 * @param installation the name that our payments carry in their metadata
 */
export function readStripeEvent(value: unknown, installation: string): StripeEvent | null {
  const [id, type] = [memberOf(value, 'id'), memberOf(value, 'type')];
  if (typeof id !== 'string' || typeof type !== 'string' || !name.test(id) || !name.test(type)) return null;
  const created = memberOf(value, 'created');
  const object = memberOf(memberOf(value, 'data'), 'object');
  const named = memberOf(memberOf(object, 'metadata'), 'installation');
  const ofInterest = stripeEventTypes.some((known) => known === type);
  const foreign = named !== undefined && named !== installation;
  return {
    id,
    type,
    created: typeof created === 'number' && Number.isSafeInteger(created) ? created : 0,
    ofInterest,
    paymentIntentId: ofInterest && !foreign ? paymentIntentOf(object) : null,
    namesUs: named === installation,
  };
}

/** Of a PaymentIntent its own id, of a charge, refund or dispute its payment's. */
function paymentIntentOf(object: unknown): string | null {
  const own = memberOf(object, 'object') === 'payment_intent';
  const id = own ? memberOf(object, 'id') : memberOf(object, 'payment_intent');
  return typeof id === 'string' && paymentIntentId.test(id) ? id : null;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}
