/**
 * Claims: a file that belongs to one living process. Used for what only one stack may have: a home, a port. A claim whose
 * process is gone is free again, however it went.
 */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { identityOf, isSameProcess, type ProcessIdentity } from '../processes/identity.js';
import { systemCode } from '../start-error.js';

export type ClaimResult = { readonly kind: 'ours' } | { readonly kind: 'held'; readonly pid: number };

let counter = 0;

/** Claims the file for this process, or says who holds it. Throws where the folder cannot be written. */
export function claim(file: string): ClaimResult {
  const self = identityOf(process.pid);
  if (!self) throw new Error('this process cannot find itself');
  const draft = `${file}.${process.pid}.${counter++}`;
  try {
    writeFileSync(draft, JSON.stringify(self), { mode: 0o600 });
    for (;;) {
      // A link appears whole or not at all, unlike a file that is created and then written.
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

/** Gives a claim of this process back. */
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

/** Takes a dead process's claim away. Another process may claim between our check and the rename; then its claim is put back. */
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

/** Null where there is no such file. What cannot be read as a claim is nobody's. */
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
    // Falls through: damaged by a full disk, say.
  }
  return { pid: 0, startedAt: '' };
}
