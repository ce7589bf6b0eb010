/** The URL that the stack's own API and workers are given. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @param databaseUrl of the owner, as in dev.json
 * @param home of the stack, where the role's password is kept
 */
export function runningUrl(databaseUrl: string, home: string): string {
  const password = readFileSync(join(home, 'postgres-app-password'), 'utf8').trim();
  return Object.assign(new URL(databaseUrl), { username: 'holdfast_app', password }).href;
}
