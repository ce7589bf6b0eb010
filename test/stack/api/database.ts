/** A look behind the API, at what is really kept. */
import postgres from 'postgres';
import { inject } from 'vitest';

export function database(): postgres.Sql {
  return postgres(inject('databaseUrl'), { max: 2, onnotice: () => undefined });
}
