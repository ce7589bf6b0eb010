import { z } from 'zod';
import { maxMinorUnits } from '../../domain/limits.js';
import {
  type FraudRuleKind,
  fraudRuleKinds,
  maxFraudRules,
  thresholdBounds,
} from '../../domain/payments/fraud-rules.js';
import { text } from '../http/schemas.js';

const kinds: Readonly<Record<FraudRuleKind, string>> = {
  amount_over: 'the amount, in minor units of any currency',
  attempts_per_card: 'attempts on the card within an hour, this one counted',
  declines_per_card: 'declines of the card within 24 hours',
  attempts_per_customer: 'attempts of the customer within an hour, this one counted',
  cards_per_customer: 'different cards of the customer within 24 hours, this one counted',
  amount_over_usual:
    "the amount, as a multiple of the median of the customer's captured payments in this currency; needs three",
  new_customer_over: 'the amount, where nothing of the customer was captured before',
  currency_mismatch:
    "fires where all of the customer's captured payments are in other currencies, whatever the threshold is",
};

const rule = z
  .strictObject({
    name: text(100).openapi({ description: 'Its name, as payments and the audit log show it.', example: 'many cards' }),
    kind: z.enum(fraudRuleKinds).openapi({
      description: `What is compared with the threshold. ${fraudRuleKinds.map((kind) => `\`${kind}\`: ${kinds[kind]}.`).join(' ')} Rules about a customer do not fire for payments without \`customerId\`.`,
      example: 'cards_per_customer',
    }),
    threshold: z
      .number()
      .min(0)
      .max(maxMinorUnits)
      .openapi({ description: 'The rule fires above this. Whole, except for `amount_over_usual`.', example: 3 }),
    weight: z
      .number()
      .min(0)
      .max(1)
      .openapi({ description: 'What it adds: the score is 1 − Π(1 − weight) over the rules that fire.', example: 0.4 }),
    enabled: z.boolean().openapi({ description: 'Whether it counts.', example: true }),
  })
  .check(({ value: { kind, threshold }, issues }) => {
    const { max, whole } = thresholdBounds[kind];
    if (threshold > max || (whole && !Number.isInteger(threshold)))
      issues.push({
        code: 'custom',
        input: threshold,
        path: ['threshold'],
        message: `must be a ${whole ? 'whole ' : ''}number from 0 to ${max} for ${kind}`,
      });
  })
  .openapi('FraudRule', { description: 'A rule that raises the fraud score of a payment.' });

export const fraudRules = z
  .strictObject({
    rules: z
      .array(rule)
      .max(maxFraudRules)
      .check(({ value, issues }) => {
        const names = new Set<string>();
        for (const [index, { name }] of value.entries()) {
          if (names.has(name))
            issues.push({ code: 'custom', input: name, path: [index, 'name'], message: 'is the name of another rule' });
          names.add(name);
        }
      })
      .openapi({ description: 'All rules. Their order counts for nothing.' }),
  })
  .openapi('FraudRules', { description: 'The rules that payments are scored by.' });
