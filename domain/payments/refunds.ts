/** Refunds: their states, and what each one returns. Amounts in minor units. */

export const refundStatuses = ['pending', 'succeeded', 'failed'] as const;
export type RefundStatus = (typeof refundStatuses)[number];

/** Who made it: a client of ours, or a person in the processor's own pages. */
export const refundOrigins = ['holdfast', 'processor'] as const;
export type RefundOrigin = (typeof refundOrigins)[number];

/** Units of one line that a refund returns, and the money for them. */
export interface RefundLine {
  /** Of the order, from 1. */
  readonly line: number;
  readonly sku: string;
  readonly location: string;
  readonly quantity: number;
  readonly amount: number;
}
