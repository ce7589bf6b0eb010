import { expect, test } from 'vitest';
import { readStripeEvent } from './stripe-events.js';

const event = (type: string, object: unknown) => ({ id: 'evt_1', object: 'event', created: 5, type, data: { object } });
const idOf = (value: unknown) => readStripeEvent(value, 'here')?.paymentIntentId;

test('an event is about its payment, whatever object it shows', () => {
  const payment = { object: 'payment_intent', id: 'pi_1', metadata: { installation: 'here' } };
  expect(readStripeEvent(event('payment_intent.succeeded', payment), 'here')).toEqual({
    ...{ id: 'evt_1', type: 'payment_intent.succeeded', created: 5, ofInterest: true },
    ...{ paymentIntentId: 'pi_1', namesUs: true },
  });
  for (const type of ['charge.refunded', 'refund.failed', 'charge.dispute.created'])
    expect(idOf(event(type, { object: 'x', id: 'x_1', payment_intent: 'pi_2' }))).toBe('pi_2');
});

test('an event of another installation, of another type or without a payment is about none', () => {
  const foreign = { object: 'payment_intent', id: 'pi_1', metadata: { installation: 'elsewhere' } };
  expect(readStripeEvent(event('payment_intent.succeeded', foreign), 'here')).toMatchObject({
    ...{ paymentIntentId: null, namesUs: false, ofInterest: true },
  });
  expect(idOf(event('invoice.paid', { object: 'invoice', payment_intent: 'pi_1' }))).toBeNull();
  expect(idOf(event('charge.refunded', { object: 'charge', payment_intent: null }))).toBeNull();
  expect(idOf(event('charge.refunded', { object: 'charge', payment_intent: "pi_1'; drop" }))).toBeNull();
  expect(idOf({ id: 'evt_2', object: 'v2.core.event', type: 'v1.billing.meter.no_meter_found' })).toBeNull();
});

test('anything else is no event', () => {
  for (const value of [
    null,
    1,
    'evt_1',
    [],
    {},
    { id: 'evt_1' },
    { id: 'evt 1', type: 'a' },
    { id: 'e', type: 'x'.repeat(256) },
  ])
    expect(readStripeEvent(value, 'here')).toBeNull();
});
