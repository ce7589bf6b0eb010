/**
 * Chooses a port for each server. A stack claims its ports for as long as it lives, so two stacks that start together choose
 * different ones, and none takes the port of a server that is restarting.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { claim, unclaim } from '../home/claims.js';
import { StartError, systemCode } from '../start-error.js';

const portNames = ['api', 'postgres', 'temporal', 'temporalUi', 'sandboxHttp', 'sandboxSmtp'] as const;
type PortName = (typeof portNames)[number];
export type Ports = Readonly<Record<PortName, number>>;

const preferred: Ports = {
  api: 3000,
  postgres: 15_432,
  temporal: 7233,
  temporalUi: 8233,
  sandboxHttp: 3900,
  sandboxSmtp: 3925,
};

/**
 * Below the system's range for outgoing connections. Otherwise a client that keeps trying to reach a server that is down
 * could be given that server's own port.
 */
const replacements = { from: 10_000, to: 30_000 } as const;

/**
 * Chooses and claims a port for each server: the one set by hand, else last time's (kept in `file`), else the usual one,
 * else any. Throws StartError if a port set by hand is taken.
 */
export async function choosePorts(file: string, fixed: Partial<Ports>): Promise<Ports> {
  const last = remembered(file);
  const chosen: [PortName, number][] = [];
  for (const name of portNames) {
    const byHand = fixed[name];
    if (byHand !== undefined) {
      if (!(await take(byHand)))
        throw new StartError(`port ${byHand} (${name}, set by hand) is taken or not permitted: free it or set another`);
      chosen.push([name, byHand]);
    } else chosen.push([name, await firstFree([last[name] ?? preferred[name], preferred[name]])]);
  }
  const ports = Object.fromEntries(chosen) as Record<PortName, number>;
  writeFileSync(`${file}.new`, JSON.stringify(ports));
  renameSync(`${file}.new`, file);
  return ports;
}

/** Claims a free port for this process. */
export const freePort = (): Promise<number> => firstFree([]);

export function releasePorts(ports: readonly number[]): void {
  for (const port of ports) {
    ours.delete(port);
    unclaim(claimFile(port));
  }
}

async function firstFree(candidates: readonly number[]): Promise<number> {
  for (const port of candidates) if (await take(port)) return port;
  for (let tries = 0; tries < 500; tries++) {
    const port = replacements.from + Math.floor(Math.random() * (replacements.to - replacements.from));
    if (await take(port)) return port;
  }
  throw new StartError('no free port found on this machine');
}

const ours = new Set<number>();

async function take(port: number): Promise<boolean> {
  if (ours.has(port) || claim(claimFile(port)).kind === 'held') return false;
  ours.add(port);
  // A server may hold the port on all addresses or only on loopback.
  if ((await canListen(port)) && (await canListen(port, '127.0.0.1'))) return true;
  releasePorts([port]);
  return false;
}

function claimFile(port: number): string {
  const folder = join(tmpdir(), `holdfast-ports-${userInfo().uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return join(folder, String(port));
}

function canListen(port: number, host?: string): Promise<boolean> {
  return new Promise((answer, fail) => {
    const server = createServer();
    server.once('error', (error) => {
      const code = systemCode(error);
      if (code === 'EADDRINUSE' || code === 'EACCES') answer(false);
      else fail(error);
    });
    server.listen({ port, ...(host !== undefined && { host }) }, () => server.close(() => answer(true)));
  });
}

function remembered(file: string): Partial<Ports> {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof value !== 'object' || value === null) return {};
    const usable = (port: unknown): port is number =>
      Number.isInteger(port) && Number(port) > 0 && Number(port) < 65_536;
    return Object.fromEntries(Object.entries(value).filter(([, port]) => usable(port)));
  } catch {
    return {};
  }
}
