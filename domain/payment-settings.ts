/** The settings of renewals, fraud scores, limits per customer and reconciliations. Pure. */

const fraudScorers = ['http', 'rules', 'both'] as const;
export type FraudScorer = (typeof fraudScorers)[number];

/** What a payment may cost, in minor units and below this, to go on without a score; `block`: none may. */
export type FraudWhenDown = 'block' | { readonly allowUnder: number };

export interface PaymentSettings {
  /** Seconds to wait before each further attempt at a renewal that was refused. */
  readonly dunningWaitsSeconds: readonly number[];
  readonly fraudScorer: FraudScorer;
  readonly fraudWhenDown: FraudWhenDown;
  /** Payments that one customer may start in a minute; null: no limit. */
  readonly customerPaymentsPerMinute: number | null;
  /** What one customer may spend in 24 hours, in minor units of each currency; null: no limit. */
  readonly customerAmountPerDay: number | null;
  /** Payments that changed less than this ago are left out of a reconciliation. */
  readonly reconciliationGraceSeconds: number;
}

type Env = Readonly<Record<string, string | undefined>>;

const maxWaits = 20;
const maxWaitSeconds = 31_536_000;
const maxAmount = 99_999_999;

/** Reads the settings. Adds what is wrong to `problems`. */
export function readPaymentSettings(env: Env, problems: string[]): PaymentSettings {
  const whole = (name: string, fallback: number | null, min: number, max: number): number | null => {
    const text = env[name];
    if (text === undefined || text === '') return fallback;
    const value = wholeNumber(text);
    if (value !== null && value >= min && value <= max) return value;
    problems.push(`${name} must be a whole number from ${min} to ${max}, not "${text}"`);
    return fallback;
  };
  return {
    dunningWaitsSeconds: dunningWaits(env.DUNNING_WAITS_SECONDS || '3600,7200', problems),
    fraudScorer: fraudScorer(env.FRAUD_SCORER || 'http', problems),
    fraudWhenDown: fraudWhenDown(env.FRAUD_WHEN_DOWN || 'block', problems),
    customerPaymentsPerMinute: whole('CUSTOMER_PAYMENTS_PER_MINUTE', null, 1, 1_000_000),
    customerAmountPerDay: whole('CUSTOMER_AMOUNT_PER_DAY', null, 1, 1_000_000_000_000),
    reconciliationGraceSeconds: whole('RECONCILIATION_GRACE_SECONDS', 900, 0, 86_400) ?? 900,
  };
}

function wholeNumber(text: string): number | null {
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

function dunningWaits(text: string, problems: string[]): readonly number[] {
  const waits = text.split(',').map((wait) => wholeNumber(wait.trim()));
  const known = waits.flatMap((wait) => (wait === null || wait < 1 || wait > maxWaitSeconds ? [] : [wait]));
  if (known.length === waits.length && known.length <= maxWaits) return known;
  problems.push(
    `DUNNING_WAITS_SECONDS must be up to ${maxWaits} whole numbers from 1 to ${maxWaitSeconds}, separated by commas, not "${text}"`,
  );
  return [];
}

function fraudScorer(text: string, problems: string[]): FraudScorer {
  const found = fraudScorers.find((scorer) => scorer === text);
  if (found === undefined) problems.push(`FRAUD_SCORER must be one of ${fraudScorers.join(', ')}, not "${text}"`);
  return found ?? 'http';
}

function fraudWhenDown(text: string, problems: string[]): FraudWhenDown {
  if (text === 'block') return text;
  const [, digits = ''] = /^allow_under:(\d{1,8})$/.exec(text) ?? [];
  const allowUnder = wholeNumber(digits);
  if (allowUnder !== null && allowUnder >= 1 && allowUnder <= maxAmount) return { allowUnder };
  problems.push(`FRAUD_WHEN_DOWN must be block, or allow_under: and minor units from 1 to ${maxAmount}, not "${text}"`);
  return 'block';
}
