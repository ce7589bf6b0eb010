/**
 * A proxy to Postgres that can be shut: data waits, no connection breaks, and new ones are accepted but get no answer. To
 * its clients this looks like a stopped server. When the valve opens, the data that waited arrives late.
 */
import { once } from 'node:events';
import { createServer, connect as dial, type Socket } from 'node:net';

export interface Valve {
  /** The URL of the server, through the valve. */
  readonly url: string;
  shut(): void;
  /** Opens the valve. Held connections stay held. */
  open(): void;
  /** Holds data on the connections that are open now; new ones work. */
  hold(): void;
  /** Releases the held data. */
  release(): void;
  close(): void;
}

/** @param databaseUrl of the server behind it */
export async function valveBefore(databaseUrl: string): Promise<Valve> {
  const { hostname, port } = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  const held = new Set<Socket>();
  let isShut = false;
  const proxy = createServer({ pauseOnConnect: true }, (client) => {
    const server = dial(Number(port), hostname);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(from);
      from.on('error', () => undefined);
      from.on('data', (data) => to.write(data));
      from.on('close', () => {
        sockets.delete(from);
        held.delete(from);
        // Data sent before the end still arrives.
        to.end();
      });
      if (isShut) from.pause();
      else from.resume();
    }
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const address = proxy.address();
  if (typeof address !== 'object' || address === null) throw new Error('the valve does not listen');
  return {
    url: Object.assign(new URL(databaseUrl), { hostname: '127.0.0.1', port: address.port }).href,
    shut: () => {
      isShut = true;
      for (const socket of sockets) socket.pause();
    },
    open: () => {
      isShut = false;
      for (const socket of sockets) socket.resume();
    },
    hold: () => {
      for (const socket of sockets) held.add(socket.pause());
      sockets.clear();
    },
    release: () => {
      for (const socket of held) sockets.add(socket.resume());
      held.clear();
    },
    close: () => {
      for (const socket of [...sockets, ...held]) socket.destroy();
      proxy.close();
    },
  };
}
