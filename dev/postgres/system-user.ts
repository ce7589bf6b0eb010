/** The system user for Postgres when the stack runs as root. */
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { dirname } from 'node:path';

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Null if the stack is not root (Postgres then runs as the same user) or the user does not exist yet. */
export function postgresUser(): Account | null {
  if (process.getuid?.() !== 0) return null;
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { stdio: ['ignore', 'pipe', 'ignore'] }));
  try {
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    return null;
  }
}

/** The first folder on the way to `path` (itself included) that this user cannot enter; null if all are open. */
export function closedAncestor(path: string, account: Account | null): string | null {
  const parent = dirname(path);
  const above = parent === path ? null : closedAncestor(parent, account);
  if (above) return above;
  const { mode, uid, gid } = statSync(path);
  const bit = uid === account?.uid ? 0o100 : gid === account?.gid ? 0o010 : 0o001;
  return mode & bit ? null : path;
}
