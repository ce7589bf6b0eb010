/** Limits on what one customer may spend (db/functions/17_controls.sql, customer_limit_take). */
import type { PaymentSettings } from '../payment-settings.js';

/** What a customer may spend, in minor units a day and in payments a minute; null: no limit. */
export interface CustomerLimits {
  readonly paymentsPerMinute: number | null;
  readonly amountPerDay: number | null;
}

/** A payment that counts towards its customer's limits. Amount in minor units. */
export interface LimitedPayment {
  readonly paymentId: string;
  readonly customerId: string | null;
  readonly amount: number;
  readonly currency: string;
  readonly limits: CustomerLimits;
}

/** The limits that are set; null: none is. */
export function customerLimits(settings: PaymentSettings): CustomerLimits | null {
  const { customerPaymentsPerMinute: paymentsPerMinute, customerAmountPerDay: amountPerDay } = settings;
  return paymentsPerMinute === null && amountPerDay === null ? null : { paymentsPerMinute, amountPerDay };
}
