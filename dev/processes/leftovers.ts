/**
 * Records the processes of this home, so that the next start can end those a killed stack left behind. They end by
 * themselves shortly after their stack, and waiting is better than two servers on the same files.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { identityOf, isSameProcess, type ProcessIdentity, signal } from './identity.js';

const endByThemselvesMs = 4000;

/** The file's text for these processes. */
export function serversText(pids: readonly number[]): string {
  return JSON.stringify(pids.flatMap((pid) => identityOf(pid) ?? []));
}

/** Ends the processes of an earlier stack on this home. Resolves when all are gone. */
export async function endLeftovers(file: string): Promise<void> {
  const alive = () => readServers(file).filter(isSameProcess);
  const until = Date.now() + endByThemselvesMs;
  while (alive().length > 0 && Date.now() < until) await sleep(50);
  for (const { pid } of alive()) signal(pid, 'SIGKILL');
  while (alive().length > 0) await sleep(20);
}

function readServers(file: string): ProcessIdentity[] {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (!Array.isArray(value)) return [];
    return value.map((entry) => ({ pid: Number(entry?.pid), startedAt: String(entry?.startedAt) }));
  } catch {
    return [];
  }
}
