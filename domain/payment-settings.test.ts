import { describe, expect, test } from 'vitest';
import { readPaymentSettings } from './payment-settings.js';

function read(env: Record<string, string>) {
  const problems: string[] = [];
  return { settings: readPaymentSettings(env, problems), problems };
}

describe('the settings of renewals, scores and limits', () => {
  test('have defaults', () => {
    expect(read({})).toEqual({
      settings: {
        dunningWaitsSeconds: [3600, 7200],
        fraudScorer: 'http',
        fraudWhenDown: 'block',
        customerPaymentsPerMinute: null,
        customerAmountPerDay: null,
        reconciliationGraceSeconds: 900,
      },
      problems: [],
    });
  });

  test('are read', () => {
    const env = {
      DUNNING_WAITS_SECONDS: '60, 120,180',
      FRAUD_SCORER: 'both',
      FRAUD_WHEN_DOWN: 'allow_under:5000',
      CUSTOMER_PAYMENTS_PER_MINUTE: '5',
      CUSTOMER_AMOUNT_PER_DAY: '100000',
      RECONCILIATION_GRACE_SECONDS: '0',
    };
    expect(read(env)).toEqual({
      settings: {
        dunningWaitsSeconds: [60, 120, 180],
        fraudScorer: 'both',
        fraudWhenDown: { allowUnder: 5000 },
        customerPaymentsPerMinute: 5,
        customerAmountPerDay: 100_000,
        reconciliationGraceSeconds: 0,
      },
      problems: [],
    });
  });

  test.each([
    ['DUNNING_WAITS_SECONDS', '60,,120'],
    ['DUNNING_WAITS_SECONDS', '0'],
    ['DUNNING_WAITS_SECONDS', '1.5'],
    ['DUNNING_WAITS_SECONDS', Array.from({ length: 21 }, () => '60').join()],
    ['FRAUD_SCORER', 'none'],
    ['FRAUD_WHEN_DOWN', 'allow'],
    ['FRAUD_WHEN_DOWN', 'allow_under:0'],
    ['FRAUD_WHEN_DOWN', 'allow_under:-5'],
    ['CUSTOMER_PAYMENTS_PER_MINUTE', '0'],
    ['CUSTOMER_AMOUNT_PER_DAY', '1e5'],
    ['RECONCILIATION_GRACE_SECONDS', '86401'],
  ])('name %s where it is "%s"', (name, value) => {
    const { problems } = read({ [name]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${name} must be`));
    expect(problems[0]).toContain(`not "${value}"`);
  });
});
