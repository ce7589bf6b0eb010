/**
 * One HTTP request and its answer over an undici pool. It knows exactly whether the request was handed to a connection:
 * that, rather than the error code, decides between "nothing was sent" and "it may have happened". Undici itself never
 * sends a request twice unless connections are pipelined.
 */
import type { Dispatcher, Pool } from 'undici';

export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. A header that was sent several times has a list. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export type Exchange =
  | { readonly kind: 'answer'; readonly answer: RawAnswer }
  | { readonly kind: 'not_sent' | 'no_answer' | 'not_http' | 'too_long'; readonly detail: string };

/** Larger than any valid answer. */
const maxAnswerBytes = 256 * 1024;
/** Status line and headers. */
export const maxHeadBytes = 16 * 1024;

/** Sends the request and reads the answer; never rejects. Gives up if `signal` aborts before the answer is complete. */
export function exchange(pool: Pool, request: Dispatcher.DispatchOptions, signal: AbortSignal): Promise<Exchange> {
  return new Promise((resolve) => {
    const handler = new ExchangeHandler((result) => {
      signal.removeEventListener('abort', giveUp);
      resolve(result);
    });
    const giveUp = () => handler.giveUp('no answer in time');
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) return giveUp();
    try {
      pool.dispatch(request, handler);
    } catch (error) {
      handler.onResponseError(null, error instanceof Error ? error : new Error(String(error)));
    }
  });
}

class ExchangeHandler implements Dispatcher.DispatchHandler {
  /** Set as soon as the request is handed to a connection. */
  private controller: Dispatcher.DispatchController | null = null;
  private done = false;
  private status = 0;
  private headers: RawAnswer['headers'] = {};
  private readonly chunks: Buffer[] = [];
  private bytes = 0;

  constructor(private readonly finish: (result: Exchange) => void) {}

  giveUp(detail: string): void {
    this.end({ kind: this.controller ? 'no_answer' : 'not_sent', detail });
    this.controller?.abort(new Error(detail));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Given up while it waited for a connection: aborting now prevents it from being sent.
    if (this.done) controller.abort(new Error('given up'));
    else this.controller = controller;
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: RawAnswer['headers']): void {
    this.status = status;
    this.headers = headers;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.bytes += chunk.length;
    if (this.bytes <= maxAnswerBytes) this.chunks.push(chunk);
    else {
      this.end({ kind: 'too_long', detail: `an answer of more than ${maxAnswerBytes} bytes` });
      controller.abort(new Error('too long'));
    }
  }

  onResponseEnd(): void {
    const body = Buffer.concat(this.chunks).toString('utf8');
    this.end({ kind: 'answer', answer: { status: this.status, headers: this.headers, body } });
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    const detail = describe(error);
    if (this.controller === null) this.end({ kind: 'not_sent', detail });
    else if (codeOf(error) === 'UND_ERR_HEADERS_OVERFLOW') this.end({ kind: 'too_long', detail });
    else this.end({ kind: isForeignProtocol(error) ? 'not_http' : 'no_answer', detail });
  }

  private end(result: Exchange): void {
    if (this.done) return;
    this.done = true;
    this.finish(result);
  }
}

/** Whether the server sent something other than HTTP. A truncated answer does not count. */
function isForeignProtocol(error: Error): boolean {
  return error.name === 'HTTPParserError' && codeOf(error) !== 'HPE_INVALID_EOF_STATE';
}

function describe(error: Error): string {
  const code = codeOf(error);
  // With several addresses (IPv4 and IPv6) the message is empty.
  return error.message || code || error.name;
}

function codeOf(error: Error): string | null {
  return 'code' in error && typeof error.code === 'string' ? error.code : null;
}
