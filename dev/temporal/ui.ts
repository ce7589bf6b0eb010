/**
 * The proxy in front of the Temporal Web UI. It checks each request's Host (docs/adr/0014), because the UI answers to any
 * name, has no setting for that, and lets every caller read and signal every workflow.
 */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, ServerResponse } from 'node:http';
import { createProxyServer } from 'httpxy';
import { hostCheck } from '../../sandbox/hosts.js';
import { freePort } from '../processes/ports.js';

/** The UI's own address, on this machine only. */
export interface UiAddress {
  readonly ip: string;
  readonly port: number;
}

/**
 * A random address for the UI itself, so that a page that tries many names and ports does not find it. On Linux all of
 * 127.0.0.0/8, 16 million addresses, belongs to this machine. Elsewhere it is 127.0.0.1 with a free port.
 * @param port the proxy's own port
 */
export async function hiddenUiAddress(port: number): Promise<UiAddress> {
  if (process.platform !== 'linux') return { ip: '127.0.0.1', port: await freePort() };
  const octet = () => randomInt(1, 255);
  return { ip: `127.${octet()}.${octet()}.${octet()}`, port };
}

/** Starts the proxy on 127.0.0.1; resolves when it listens. It forwards only requests for this machine's own names. */
export async function openUiProxy(port: number, ui: UiAddress): Promise<Server> {
  const allowed = hostCheck();
  const proxy = createProxyServer({ target: `http://${ui.ip}:${ui.port}` });
  proxy.on('error', (_error, _req, res) => {
    if (res instanceof ServerResponse && !res.headersSent) refuse(res, 502, 'Temporal is not available at the moment');
    else res?.destroy();
  });
  const server = createServer((req, res) => {
    if (allowed(req)) void proxy.web(req, res).catch(() => res.destroy());
    else refuse(res, 421, 'the Temporal UI only answers to localhost and 127.0.0.1');
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function refuse(res: ServerResponse, status: number, detail: string): void {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ error: { detail } }));
}
