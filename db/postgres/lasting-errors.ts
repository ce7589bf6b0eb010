/** Telling an error of Postgres that a retry may mend from one that the values or the rules cause, and that will last. */
import postgres from 'postgres';
import { isCollision } from './batch.js';

/**
 * Cardinality violation, data exception, integrity constraint violation, program limit exceeded, and what our own functions
 * raise.
 */
const lasting = /^(21|22|23|54|P0)/;
/** unique_violation, exclusion_violation: the other transaction may have been in flight, so the next try may find it. */
const races: readonly string[] = ['23505', '23P01'];
const raceAttempts = 3;

/** The error of Postgres that this one is, or was caused by; null where there is none. */
export function postgresErrorOf(error: unknown): postgres.PostgresError | null {
  const cause = error instanceof Error && !(error instanceof postgres.PostgresError) ? error.cause : error;
  return cause instanceof postgres.PostgresError ? cause : null;
}

/** Whether a statement that failed like this will fail again. @param attempt from 1 */
export function isLasting(error: postgres.PostgresError, attempt: number): boolean {
  if (!lasting.test(error.code) || isCollision(error)) return false;
  return !races.includes(error.code) || attempt >= raceAttempts;
}

/** What refuses a step for good, in one line; throws the error again where a retry may mend it. */
export function lastingReason(error: unknown): string {
  const refused = postgresErrorOf(error);
  if (refused === null || !isLasting(refused, Number.POSITIVE_INFINITY)) throw error;
  return describePostgresError(refused);
}

/** What a person needs to know of it. It names no values: messages of class 22 may repeat them. */
export function describePostgresError(error: postgres.PostgresError): string {
  const { code, constraint_name: constraint, table_name: table } = error;
  const said = code.startsWith('23') || code.startsWith('P0') ? `: ${error.message}` : '';
  const where = [table && `table ${table}`, constraint && `constraint ${constraint}`].filter(Boolean).join(', ');
  return `Postgres refused the step with SQLSTATE ${code}${where === '' ? '' : ` (${where})`}${said}`;
}
