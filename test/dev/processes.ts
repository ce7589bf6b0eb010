/** Which processes belong to a stack's home, as the system sees it (Linux). */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Every living process that names the home in its arguments or environment, or works in it. */
export function processesOf(home: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const of = (file: string) => readFileSync(`/proc/${pid}/${file}`, 'utf8');
        const traces = [of('cmdline'), of('environ'), readlinkSync(`/proc/${pid}/cwd`)];
        return traces.some((trace) => trace.includes(home)) ? [`${pid} ${traces[0]?.replaceAll('\0', ' ')}`] : [];
      } catch {
        // Gone meanwhile, or a process of the system's own.
        return [];
      }
    });
}

/** Waits until no process of the home is left; answers those that are left after `withinMs`. */
export async function leftAfter(home: string, withinMs: number): Promise<string[]> {
  const until = Date.now() + withinMs;
  while (processesOf(home).length > 0 && Date.now() < until) await sleep(50);
  return processesOf(home);
}
