/** Rules that score a payment. The score is 1 − Π(1 − weight) over the rules that fire. */

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
