/**
 * Claims: files that each belong to one living process. They guard what only one stack may use: a home, a port. When its
 * process ends, however it ends, a claim is free again.
 */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { identityOf, isSameProcess, type ProcessIdentity } from '../processes/identity.js';
import { systemCode } from '../start-error.js';

export type ClaimResult = { readonly kind: 'ours' } | { readonly kind: 'held'; readonly pid: number };

let counter = 0;

/** Claims the file for this process, or returns its holder. Throws if the folder cannot be written. */
export function claim(file: string): ClaimResult {
  const self = identityOf(process.pid);
  if (!self) throw new Error('cannot find this process');
  const draft = `${file}.${process.pid}.${counter++}`;
  try {
    writeFileSync(draft, JSON.stringify(self), { mode: 0o600 });
    for (;;) {
      // A link appears complete or not at all, unlike a file that is created and then written.
      if (tryLink(draft, file)) return { kind: 'ours' };
      const holder = read(file);
      if (!holder) continue;
      if (isSameProcess(holder))
        return holder.pid === process.pid ? { kind: 'ours' } : { kind: 'held', pid: holder.pid };
      removeStale(file, holder);
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Releases a claim of this process. */
export function unclaim(file: string): void {
  if (read(file)?.pid === process.pid) rmSync(file, { force: true });
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Removes a dead process's claim. If another process claimed between our check and the rename, puts its claim back. */
function removeStale(file: string, stale: ProcessIdentity): void {
  const aside = `${file}.${process.pid}.${counter++}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw error;
  }
  const taken = read(aside);
  if (taken && (taken.pid !== stale.pid || taken.startedAt !== stale.startedAt)) tryLink(aside, file);
  rmSync(aside, { force: true });
}

/** Null if there is no such file. A file that is not a claim belongs to no process. */
function read(file: string): ProcessIdentity | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && 'pid' in value && 'startedAt' in value)
      return { pid: Number(value.pid), startedAt: String(value.startedAt) };
  } catch {
    // Fall through: the file is damaged, by a full disk for example.
  }
  return { pid: 0, startedAt: '' };
}
