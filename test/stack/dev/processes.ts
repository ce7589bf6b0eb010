/** Finds the processes that belong to a stack's home (Linux). */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Every live process with the home in its arguments, environment or working directory. */
export function processesOf(home: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const of = (file: string) => readFileSync(`/proc/${pid}/${file}`, 'utf8');
        const traces = [of('cmdline'), of('environ'), readlinkSync(`/proc/${pid}/cwd`)];
        return traces.some((trace) => trace.includes(home)) ? [`${pid} ${traces[0]?.replaceAll('\0', ' ')}`] : [];
      } catch {
        // Gone meanwhile, or a kernel process.
        return [];
      }
    });
}

/** Waits until the home has no processes. Returns those left after `withinMs`. */
export async function leftAfter(home: string, withinMs: number): Promise<string[]> {
  const until = Date.now() + withinMs;
  while (processesOf(home).length > 0 && Date.now() < until) await sleep(50);
  return processesOf(home);
}

export interface Listening {
  readonly ip: string;
  readonly port: number;
}

/** The addresses on which a process accepts connections. */
export function listeningOn(pid: number): Listening[] {
  const sockets = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        // Closed meanwhile.
        return [];
      }
    }),
  );
  return ['tcp', 'tcp6'].flatMap((family) =>
    readFileSync(`/proc/${pid}/net/${family}`, 'utf8')
      .split('\n')
      .slice(1)
      .flatMap((line) => {
        const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
        if (state !== '0A' || !sockets.has(inode)) return [];
        const [address = '', port = ''] = local.split(':');
        return { ip: ipOf(address), port: Number.parseInt(port, 16) };
      }),
  );
}

/** Parses the kernel's notation: words of four bytes, lowest byte first. */
function ipOf(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => (word.match(/../g) ?? []).reverse());
  if (bytes.length === 4) return bytes.map((byte) => Number.parseInt(byte, 16)).join('.');
  const mapped = /^0{20}ffff/i.test(bytes.join(''));
  return mapped ? ipOf(hex.slice(24)) : bytes.join('');
}
