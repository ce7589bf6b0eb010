/** One HTTP exchange, by Node's own client: it loads in a tenth of the time of undici, and every command pays for that. */
import type { IncomingHttpHeaders, IncomingMessage, RequestOptions } from 'node:http';

/** The API never answers with more than this. */
const maxAnswerBytes = 64 * 1024 * 1024;

export interface Exchange {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** How long the connection may be silent. */
  readonly idleTimeoutMs: number;
  /** Aborts the exchange, which then ends as if the connection had been lost. */
  readonly signal?: AbortSignal | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/**
 * Sends one request and reads the whole answer.
 * @throws the socket's error (its `code` says which); `ETIMEDOUT` after `idleTimeoutMs` of silence, `ECONNTIMEOUT` where
 *   no connection was made in that time, `EMSGSIZE` where the answer is too large
 */
export async function exchange(url: string, { body, idleTimeoutMs, ...options }: Exchange): Promise<Answer> {
  const { request } = url.startsWith('https:') ? await import('node:https') : await import('node:http');
  const wanted: RequestOptions = {
    ...options,
    headers: {
      ...options.headers,
      ...(body !== undefined && { 'Content-Length': String(Buffer.byteLength(body)) }),
    },
  };
  const response = await new Promise<IncomingMessage>((done, fail) => {
    const sent = request(url, wanted, done);
    sent.on('error', fail);
    sent.setTimeout(idleTimeoutMs, () => {
      const connecting = sent.socket === null || sent.socket.connecting;
      sent.destroy(failure(connecting ? 'ECONNTIMEOUT' : 'ETIMEDOUT', 'no answer in time'));
    });
    sent.end(body);
  });
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    if (!Buffer.isBuffer(chunk)) continue;
    size += chunk.length;
    if (size > maxAnswerBytes) throw failure('EMSGSIZE', 'the answer is too large');
    chunks.push(chunk);
  }
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text: Buffer.concat(chunks).toString('utf8'),
  };
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
