/** Fraud rules, and the attempts that they count. */
import { asc, sql as statement } from 'drizzle-orm';
import type { FraudRule } from '../../domain/payments/fraud-rules.js';
import type { CardSlot } from '../../domain/payments/states.js';
import type { AskedBy } from '../../domain/steps.js';
import type { Database, Sql } from '../postgres/client.js';
import { fraudRules, payments } from '../schema/index.js';

/** An attempt to score. Amount in minor units. */
export interface ScoredAttempt {
  readonly paymentId: string;
  readonly card: CardSlot;
  /** HMAC of the card's fingerprint; null: unknown. */
  readonly cardHash: string | null;
  readonly customerId: string | null;
  readonly amount: number;
  readonly currency: string;
  /** Whether the rules count. */
  readonly byRules: boolean;
  /** The score of another scorer; null: none. */
  readonly outside: number | null;
  /** Whether the other scorer did not answer. */
  readonly unscored: boolean;
}

/** Records an attempt and returns its score, 0 to 1. A repeated attempt gets its first score. */
export async function scoreAttempt(sql: Sql, attempt: ScoredAttempt): Promise<number> {
  const [row] = await sql<{ scored: { score: number } }[]>`
    select fraud_attempt(${JSON.stringify(attempt)}::text::jsonb) as scored`;
  if (row === undefined) throw new Error('Postgres returned no score');
  return row.scored.score;
}

/** The rules that fired for the last scored card of the payment that a query reads. */
export const rulesOfPayment = statement<string[]>`coalesce((
  select to_json(a.rules) from payment_attempts a
   where a.payment_id = ${payments}.id and a.score is not null order by a.at desc limit 1), '[]')`;

/** The rules, in the order that they were given in. */
export function listFraudRules(db: Database): Promise<FraudRule[]> {
  const { name, kind, threshold, weight, enabled } = fraudRules;
  return db.select({ name, kind, threshold, weight, enabled }).from(fraudRules).orderBy(asc(fraudRules.position));
}

/** Replaces all rules, in one transaction with its audit. */
export async function replaceFraudRules(sql: Sql, rules: readonly FraudRule[], by: AskedBy): Promise<void> {
  await sql`select fraud_rules_replace(${JSON.stringify(rules)}::text::jsonb, ${by.actor}, ${by.requestId})`;
}
