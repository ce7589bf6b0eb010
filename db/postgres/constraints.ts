/** What a constraint of the database says no to, as a value: the database decides where a check before could be too early. */
import postgres from 'postgres';

/** The name of the constraint that refused a write; null where the error is another. */
export function violatedConstraint(error: unknown): string | null {
  const cause = error instanceof Error && !(error instanceof postgres.PostgresError) ? error.cause : error;
  return cause instanceof postgres.PostgresError ? (cause.constraint_name ?? null) : null;
}
