/** The CPU time that each server has used, in milliseconds. Linux only, like the memory figures. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Target } from './table.js';

/** USER_HZ, which is 100 on every Linux. */
const tickMs = 10;

export type CpuTimes = Readonly<Record<'api' | 'worker' | 'temporal' | 'postgres' | 'sandbox', number>>;

/** The CPU time that each server has used so far, child processes included. */
export function cpuTimes({ pids }: Target): CpuTimes {
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const times = readTimes(Number(name));
      return times === null ? [] : [times];
    });
  const of = (pid: number | null | undefined) =>
    processes.filter((each) => each.pid === pid || each.parent === pid).reduce((sum, each) => sum + each.ms, 0);
  return {
    api: of(pids.api),
    worker: pids.workers.reduce((sum: number, pid) => sum + of(pid), 0),
    temporal: of(pids.temporal),
    postgres: of(pids.postgres),
    sandbox: of(pids.sandbox),
  };
}

export const noCpu: CpuTimes = { api: 0, worker: 0, temporal: 0, postgres: 0, sandbox: 0 };

/** `sum` plus the time used between two readings. */
export function addCpu(sum: CpuTimes, before: CpuTimes, after: CpuTimes): CpuTimes {
  const plus = (name: keyof CpuTimes) => sum[name] + after[name] - before[name];
  return {
    api: plus('api'),
    worker: plus('worker'),
    temporal: plus('temporal'),
    postgres: plus('postgres'),
    sandbox: plus('sandbox'),
  };
}

/** The time used per piece of work: `api 5.1, worker 9.8, ...`. */
export function cpuPerPiece(used: CpuTimes, pieces: number): string {
  return Object.entries(used)
    .map(([name, ms]) => `${name} ${(ms / pieces).toFixed(1)}`)
    .join(', ');
}

function readTimes(pid: number): { pid: number; parent: number; ms: number } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold anything. The fields after it begin with the third.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // utime, stime, and both for children that have ended (closed Postgres sessions).
    const ticks = [11, 12, 13, 14].reduce((sum, field) => sum + Number(fields[field]), 0);
    return { pid, parent: Number(fields[1]), ms: ticks * tickMs };
  } catch {
    return null;
  }
}
