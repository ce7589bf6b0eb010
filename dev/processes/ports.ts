/**
 * Which port each server gets. A port is claimed for as long as the stack lives, so that two stacks that start at once do
 * not choose the same one, and none takes a port whose server is just being restarted.
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
 * Below the range that the system hands out to outgoing connections: a client that tries again and again to reach a server
 * that is down could be given that very port.
 */
const replacements = { from: 10_000, to: 30_000 } as const;

/**
 * Chooses and claims a port for each server: the one set by hand, else last time's (kept in `file`), else the usual one,
 * else any. Throws StartError where one set by hand is taken.
 */
export async function choosePorts(file: string, fixed: Partial<Ports>): Promise<Ports> {
  const last = remembered(file);
  const chosen: [PortName, number][] = [];
  for (const name of portNames) {
    const byHand = fixed[name];
    if (byHand !== undefined) {
      if (!(await take(byHand)))
        throw new StartError(
          `port ${byHand} (${name}, set by hand) is taken or may not be used: free it or name another`,
        );
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
  // All addresses and this machine's own: a server on either would be in the way.
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
