/** Tells whether a recorded process is still the same one, since the system reuses pids. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A pid and its process's start time, in the system's own format. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startedAt: string;
}

/** The identity of a running process; null if there is none with this pid, or only a zombie. */
export function identityOf(pid: number): ProcessIdentity | null {
  try {
    const startedAt = process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
    return startedAt ? { pid, startedAt } : null;
  } catch {
    return null;
  }
}

export function isSameProcess(identity: ProcessIdentity): boolean {
  return identityOf(identity.pid)?.startedAt === identity.startedAt;
}

/** Sends a signal. False if the process is gone. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

function fromProc(pid: number): string | null {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The command's name is in parentheses and may hold anything. The fields after it are fixed: state 1st, start time 20th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? null : (fields[19] ?? null);
}

function fromPs(pid: number): string | null {
  const [state, ...start] = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], { encoding: 'utf8' })
    .trim()
    .split(/\s+/);
  return state?.startsWith('Z') ? null : start.join(' ');
}
