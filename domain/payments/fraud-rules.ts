/** Rules that score a payment. The score is 1 − Π(1 − weight) over the rules that fire. */

import { maxMinorUnits } from '../limits.js';

export const fraudRuleKinds = [
  'amount_over',
  'attempts_per_card',
  'declines_per_card',
  'attempts_per_customer',
  'cards_per_customer',
  'amount_over_usual',
  'new_customer_over',
  'currency_mismatch',
] as const;
export type FraudRuleKind = (typeof fraudRuleKinds)[number];

/** A rule. It fires where its value is above the threshold. `weight` is 0 to 1. */
export interface FraudRule {
  readonly name: string;
  readonly kind: FraudRuleKind;
  readonly threshold: number;
  readonly weight: number;
  readonly enabled: boolean;
}

export const maxFraudRules = 50;

/** The highest threshold of each kind, and whether only whole numbers make sense. The lowest is 0. */
export const thresholdBounds: Readonly<Record<FraudRuleKind, { readonly max: number; readonly whole: boolean }>> = {
  amount_over: { max: maxMinorUnits, whole: true },
  attempts_per_card: { max: 1_000_000, whole: true },
  declines_per_card: { max: 1_000_000, whole: true },
  attempts_per_customer: { max: 1_000_000, whole: true },
  cards_per_customer: { max: 1_000_000, whole: true },
  amount_over_usual: { max: 1_000_000, whole: false },
  new_customer_over: { max: maxMinorUnits, whole: true },
  currency_mismatch: { max: 1, whole: true },
};
