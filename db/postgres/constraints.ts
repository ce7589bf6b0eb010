/** Reads which constraint a write violated. The database decides, since an earlier check could be outdated by then. */
import postgres from 'postgres';

/** The name of the violated constraint; null for any other error. */
export function violatedConstraint(error: unknown): string | null {
  const cause = error instanceof Error && !(error instanceof postgres.PostgresError) ? error.cause : error;
  return cause instanceof postgres.PostgresError ? (cause.constraint_name ?? null) : null;
}
