/** Sends mail by SMTP, over a few pooled connections. */
import { createTransport } from 'nodemailer';
import { createBreaker } from '../http/breaker.js';
import { withDeadline } from '../http/deadline.js';
import { GatewayFault } from '../http/fault.js';
import type { MailGateway } from './gateway.js';

const name = 'mail';

export interface SmtpMailOptions {
  readonly host: string;
  readonly port: number;
  /** The sender's address. */
  readonly from: string;
  readonly timeoutMs: number;
}

/** Connects lazily. An idle connection that the server has closed is replaced unnoticed. */
export function createSmtpMail({ host, port, from, timeoutMs }: SmtpMailOptions): MailGateway {
  const transport = createTransport({
    pool: true,
    host,
    port,
    secure: false,
    ignoreTLS: true,
    maxMessages: Number.MAX_SAFE_INTEGER,
    // Half the deadline, to distinguish a failed connection from a missing answer.
    connectionTimeout: timeoutMs / 2,
    dnsTimeout: timeoutMs / 2,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const breaker = createBreaker(name);

  return {
    send: ({ messageId, to, subject, text }, options = {}) =>
      withDeadline(options.timeoutMs ?? timeoutMs, options.signal, (signal) =>
        breaker.run(async () => {
          try {
            await transport.sendMail({ from, to, subject, text, messageId, signal });
          } catch (error) {
            throw classify(error);
          }
        }, signal),
      ),
    close: () => transport.close(),
  };
}

/** The fault is `unreachable` only if the connection failed. */
function classify(error: unknown): GatewayFault {
  const facts: SmtpError = error instanceof Error ? error : new Error(String(error));
  if (typeof facts.responseCode === 'number')
    return new GatewayFault(name, 'server_error', `refused with ${facts.responseCode}`);
  if (facts.code === 'EPROTOCOL')
    return new GatewayFault(name, 'server_error', 'answered with something that is not SMTP');
  const neverConnected =
    facts.code === 'EDNS' || facts.syscall === 'connect' || facts.timeoutType === 'CONNECT_TIMEOUT';
  return new GatewayFault(name, neverConnected ? 'unreachable' : 'no_answer', facts.message);
}

/** Members that Nodemailer adds to its errors, and Node to socket errors. */
interface SmtpError extends Error {
  readonly code?: unknown;
  readonly responseCode?: unknown;
  readonly syscall?: unknown;
  readonly timeoutType?: unknown;
}
