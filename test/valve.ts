/**
 * A way to Postgres that can be shut: what is sent waits, no connection breaks, new ones are taken and say nothing. To its
 * clients this is a server that was stopped; what waited arrives, late, when the valve opens.
 */
import { once } from 'node:events';
import { createServer, connect as dial, type Socket } from 'node:net';

export interface Valve {
  /** The URL of the server behind it, by way of the valve. */
  readonly url: string;
  shut(): void;
  /** Opens the valve; connections that were held stay held. */
  open(): void;
  /** What is sent over the connections that are open now waits; new ones work. */
  hold(): void;
  /** What was held arrives. */
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
        // What was sent before the end still arrives.
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
