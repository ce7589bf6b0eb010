/**
 * Turns Node's own refusals into problem documents: requests that are not HTTP, arrive too slowly, have too large a head, or
 * expect something unknown (`Expect`). These requests never reach a route.
 *
 * The status is the one that HTTP asks for, and the code is the nearest one of the contract.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import type { RefusalCode } from '../../domain/errors.js';
import { closeLater, holdBack } from '../middleware/body.js';
import { titleOf } from '../middleware/problem.js';
import { newId } from './ids.js';

interface Meaning {
  readonly reason: string;
  readonly code: RefusalCode;
  readonly detail: string;
}

const meanings = {
  400: { reason: 'Bad Request', code: 'malformed_json', detail: 'the request is not valid HTTP/1.1' },
  408: {
    reason: 'Request Timeout',
    code: 'validation_failed',
    detail: 'the request did not arrive completely in time',
  },
  413: { reason: 'Content Too Large', code: 'too_large', detail: 'the chunk extensions are too large' },
  417: { reason: 'Expectation Failed', code: 'validation_failed', detail: 'only `Expect: 100-continue` is supported' },
  431: {
    reason: 'Request Header Fields Too Large',
    code: 'too_large',
    detail: 'path and headers are larger than 16 KiB in total',
  },
} as const satisfies Readonly<Record<number, Meaning>>;
type ConnectionStatus = keyof typeof meanings;

/** The problem document of a request that cannot be parsed. Its path may be unknown, so `instance` is the request id. */
export function connectionProblem(
  status: ConnectionStatus,
  requestId: string,
): { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string } {
  const { code, detail } = meanings[status];
  const body = JSON.stringify({
    type: `urn:holdfast:problem:${code}`,
    title: titleOf(code),
    status,
    code,
    detail,
    instance: `urn:holdfast:request:${requestId}`,
    requestId,
  });
  return {
    status,
    headers: { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store', 'X-Request-Id': requestId },
    body,
  };
}

/** The status for each code of Node's errors. */
const statusOf: Readonly<Record<string, ConnectionStatus>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** Answers the requests that Node would refuse by itself or drop. */
export function answerConnectionProblems(
  server: Server,
  serve: (req: IncomingMessage, res: ServerResponse) => void,
  log: Logger,
): void {
  server.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => {
    holdBack(req);
    serve(req, res);
  });
  server.on('checkExpectation', (_req: IncomingMessage, res: ServerResponse) => {
    const { status, headers, body } = connectionProblem(417, newId('req'));
    res.writeHead(status, { ...headers, Connection: 'close', 'Content-Length': Buffer.byteLength(body) }).end(body);
  });

  const answers = new WeakMap<Duplex, ServerResponse>();
  server.on('request', (req: IncomingMessage, res: ServerResponse) => answers.set(req.socket, res));
  const refused = new WeakSet<Duplex>();
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    // One answer per connection; what the client still sends is discarded.
    if (refused.has(socket)) return;
    refused.add(socket);
    const status = statusOf[error.code ?? ''] ?? 400;
    const answer = answers.get(socket);
    const midAnswer = (answer?.headersSent ?? false) && !answer?.writableEnded;
    if (error.code === 'ECONNRESET' || !socket.writable || midAnswer) return void socket.destroy();
    const requestId = newId('req');
    log.info({ requestId, status, cause: error.code }, 'unreadable request');
    const { headers, body } = connectionProblem(status, requestId);
    const head = [
      `HTTP/1.1 ${status} ${meanings[status].reason}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
    ];
    if (socket instanceof Socket) closeLater(socket);
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
    socket.resume();
  });
}
