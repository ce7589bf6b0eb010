/** The sandbox: card processor, fraud scorer, suppliers and mail, as real servers with books on disk. */
import { once, setMaxListeners } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { fraudRoutes } from './fraud/routes.js';
import { hostCheck } from './hosts.js';
import { notFound, onError, sendError } from './http.js';
import { Mailbox } from './mail/mailbox.js';
import { mailRoutes } from './mail/routes.js';
import { createSmtpServer } from './mail/smtp.js';
import { byHandRoutes } from './payments/by-hand.js';
import { Processor } from './payments/processor.js';
import { paymentRoutes } from './payments/routes.js';
import { StripeFace } from './stripe/face.js';
import { Suppliers } from './suppliers/orders.js';
import { supplierRoutes } from './suppliers/routes.js';

export interface SandboxOptions {
  /** The folder of the books; created if it does not exist. Only one sandbox may use it at a time. */
  readonly home: string;
  /** 0: a free port. */
  readonly httpPort: number;
  readonly smtpPort: number;
  /** Default: this machine only. */
  readonly host?: string;
  /** Further host names that it answers to, besides those of this machine. */
  readonly allowedHosts?: readonly string[];
}

export interface Sandbox {
  /** The base of all HTTP calls, without a trailing slash. */
  readonly url: string;
  readonly smtpPort: number;
  /** Aborts held and slow calls, flushes the books, and resolves when everything is closed. */
  close(): Promise<void>;
}

/** Starts the sandbox; resolves when both ports are open. Rejects if a port is taken or the books are broken. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const host = options.host ?? '127.0.0.1';
  const processor = await Processor.open(options.home);
  const mailbox = await Mailbox.open(options.home);
  const suppliers = await Suppliers.open(options.home);
  const stopping = new AbortController();
  // Every slow call listens to it.
  setMaxListeners(0, stopping.signal);
  const stripe = await StripeFace.open(options.home, processor, stopping.signal);

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  const allowed = hostCheck(options.allowedHosts);
  app.use((req, res, next) => {
    if (allowed(req)) next();
    else sendError(res, 421, 'host_not_allowed', 'this host name is not allowed; SANDBOX_ALLOWED_HOSTS adds names');
  });
  app.get('/livez', (_req, res) => {
    res.json({ status: 'ok' });
  });
  app.get('/readyz', (_req, res) => {
    const notReady = Object.entries({ payments: processor, stripe, suppliers, mail: mailbox })
      .filter(([, books]) => !books.writable)
      .map(([name]) => name);
    if (notReady.length === 0) res.json({ status: 'ready' });
    else res.status(503).json({ status: 'not_ready', notReady });
  });
  app.use(
    paymentRoutes(processor, stopping.signal),
    byHandRoutes(processor),
    stripe.routes,
    fraudRoutes((token) => stripe.tokenOf(token)),
    supplierRoutes(suppliers),
    mailRoutes(mailbox),
  );
  app.use(notFound, onError);

  const http = createServer({ keepAliveTimeout: 30_000 }, app);
  const smtp = createSmtpServer(mailbox);
  // A client that disconnects during a mail is not an error of the sandbox.
  smtp.on('error', () => undefined);

  const close = async () => {
    stopping.abort();
    const httpClosed = http.listening ? once(http, 'close') : null;
    http.close();
    http.closeAllConnections();
    await Promise.all([httpClosed, new Promise<void>((resolve) => smtp.close(resolve))]);
    await stripe.close();
    await Promise.all([processor.close(), suppliers.close(), mailbox.close()]);
  };

  try {
    http.listen(options.httpPort, host);
    await once(http, 'listening');
    smtp.listen(options.smtpPort, host);
    await once(smtp.server, 'listening');
  } catch (error) {
    await close();
    throw error;
  }
  stripe.start();
  const { port } = addressOf(http.address());
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return { url: `http://${reachable}:${port}`, smtpPort: addressOf(smtp.server.address()).port, close };
}

function addressOf(address: AddressInfo | string | null): AddressInfo {
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address;
}
