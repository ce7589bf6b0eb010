/** The database URL of the stack's API and workers. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @param databaseUrl for the owner, as in dev.json
 * @param home of the stack, which stores the role's password
 */
export function runningUrl(databaseUrl: string, home: string): string {
  const password = readFileSync(join(home, 'postgres-app-password'), 'utf8').trim();
  return Object.assign(new URL(databaseUrl), { username: 'holdfast_app', password }).href;
}
