/** An API in this process whose Postgres and Temporal are unreachable, to test what it decides without them. */
import { createServer } from 'node:http';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { pino } from 'pino';
import { loneDeps } from '../api/app.fixture.js';
import { createApp } from '../api/app.js';
import { answerConnectionProblems } from '../api/http/connection-problems.js';

export interface LoneApi {
  readonly port: number;
  /** Everything it has logged so far. */
  log(): string;
  /** Sends these bytes over a new connection. Resolves with everything received until it ends. */
  exchange(...parts: readonly (string | Buffer)[]): Promise<string>;
  close(): Promise<void>;
}

export async function startLoneApi(env: Record<string, string> = {}): Promise<LoneApi> {
  const logged: string[] = [];
  const log = pino({ level: 'trace' }, { write: (line: string) => logged.push(line) });
  const { deps, close } = loneDeps(env, log);
  const app = createApp(deps);
  const server = createServer({ requireHostHeader: false, headersTimeout: 500, connectionsCheckingInterval: 100 }, app);
  answerConnectionProblems(server, app, log);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    log: () => logged.join(''),
    exchange: (...parts) =>
      new Promise((resolve, reject) => {
        const socket = connectTcp(port, '127.0.0.1');
        let answer = '';
        socket.on('data', (chunk) => {
          answer += chunk.toString('latin1');
        });
        socket.once('error', reject);
        socket.once('close', () => resolve(answer));
        socket.once('end', () => socket.end());
        for (const part of parts) socket.write(part);
      }),
    close: async () => {
      const closed = new Promise((done) => server.close(done));
      server.closeAllConnections();
      await closed;
      await close();
    },
  };
}
