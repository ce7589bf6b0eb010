/** The stack's database, to check what the API really stored. */
import postgres from 'postgres';
import { inject } from 'vitest';

export function database(): postgres.Sql {
  return postgres(inject('databaseUrl'), { max: 2, onnotice: () => undefined });
}
