/** Separates Postgres errors that a retry may fix from lasting ones, which values or constraints cause. */
import postgres from 'postgres';
import { isCollision } from './batch.js';

/**
 * Cardinality violation, data exception, integrity constraint violation, program limit exceeded, and errors that our own
 * functions raise.
 */
const lasting = /^(21|22|23|54|P0)/;
/** unique_violation, exclusion_violation: the other transaction may have been in flight; a retry then finds its row. */
const races: readonly string[] = ['23505', '23P01'];
const raceAttempts = 3;

/** The Postgres error that this is or that caused it; null if there is none. */
export function postgresErrorOf(error: unknown): postgres.PostgresError | null {
  const cause = error instanceof Error && !(error instanceof postgres.PostgresError) ? error.cause : error;
  return cause instanceof postgres.PostgresError ? cause : null;
}

/** Whether a statement that failed like this would fail again. @param attempt from 1 */
export function isLasting(error: postgres.PostgresError, attempt: number): boolean {
  if (!lasting.test(error.code) || isCollision(error)) return false;
  return !races.includes(error.code) || attempt >= raceAttempts;
}

/** Why a step can never succeed, in one line. Rethrows an error that a retry may fix. */
export function lastingReason(error: unknown): string {
  const refused = postgresErrorOf(error);
  if (refused === null || !isLasting(refused, Number.POSITIVE_INFINITY)) throw error;
  return describePostgresError(refused);
}

/** Describes the error to an operator. Leaves out messages of class 22, which may contain values. */
export function describePostgresError(error: postgres.PostgresError): string {
  const { code, constraint_name: constraint, table_name: table } = error;
  const said = code.startsWith('23') || code.startsWith('P0') ? `: ${error.message}` : '';
  const where = [table && `table ${table}`, constraint && `constraint ${constraint}`].filter(Boolean).join(', ');
  return `Postgres refused the step with SQLSTATE ${code}${where === '' ? '' : ` (${where})`}${said}`;
}
