/** Calls to the API that may be repeated: every POST carries one idempotency key for all its tries. */
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { z } from 'zod';
import type { Connection } from './connection.js';

/** How long a call is tried on after its connection was lost, or while the API says `unavailable` or `request_in_progress`. */
export const patienceSeconds = 20;
/** How long a call is tried on where nobody has listened yet. */
export const unreachableSeconds = 3;
/** What the API is given to answer beyond the time it was asked to wait. */
const defaultAnswerSeconds = 15;
/** What the API waits for a decision where it is not told. */
const defaultWaitSeconds = 10;
const firstPauseMs = 200;
const maxPauseMs = 2000;

export const problemSchema = z.looseObject({
  code: z.string(),
  detail: z.string(),
  orderId: z.string().optional(),
  paymentId: z.string().optional(),
  transferId: z.string().optional(),
  requestId: z.string().optional(),
  errors: z.array(z.object({ pointer: z.string(), code: z.string(), detail: z.string() })).optional(),
});
export type Problem = z.infer<typeof problemSchema>;

/** What came of a call. `text` is what the API sent, byte for byte. */
export type Reply =
  | { readonly kind: 'answer'; readonly status: number; readonly text: string; readonly body: unknown }
  | { readonly kind: 'problem'; readonly status: number; readonly text: string; readonly problem: Problem }
  | { readonly kind: 'unreachable'; readonly detail: string };

export interface Call {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** With its query. */
  readonly path: string;
  readonly body?: unknown;
  /** For POSTs; the same for every try. */
  readonly idempotencyKey?: string;
  /** Seconds that the API should wait for a decision; 0: not at all; left out: its own default. */
  readonly waitSeconds?: number | undefined;
  /** For calls that take long by nature. */
  readonly answerSeconds?: number;
}

export interface Pauses {
  readonly patienceSeconds: number;
  readonly unreachableSeconds: number;
}

/**
 * Makes one call, repeated with the same key for a bounded time after a lost connection, a 503 (after its Retry-After)
 * or a 409 `request_in_progress`. `onRetry` is called once, before the
 * first repetition of what somebody may have seen.
 */
export async function call(
  connection: Connection,
  wanted: Call,
  onRetry: (why: string) => void = () => undefined,
  pauses: Pauses = { patienceSeconds, unreachableSeconds },
): Promise<Reply> {
  const started = Date.now();
  const budgetMs = (seconds: number) => started + seconds * 1000 - Date.now();
  let reached = false;
  let told = false;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, maxPauseMs)) {
    const outcome = await tryOnce(connection, wanted);
    if (outcome.kind === 'reply') return outcome.reply;
    reached ||= outcome.reached;
    const patience = reached
      ? pauses.patienceSeconds + (wanted.waitSeconds ?? (wanted.method === 'POST' ? defaultWaitSeconds : 0))
      : pauses.unreachableSeconds;
    const pause = outcome.retryAfterMs ?? pauseMs;
    if (budgetMs(patience) < pause) return outcome.last;
    if (outcome.reached && !told) onRetry(outcome.why);
    told ||= outcome.reached;
    await sleep(pause);
  }
}

type Try =
  | { readonly kind: 'reply'; readonly reply: Reply }
  | {
      readonly kind: 'again';
      readonly why: string;
      /** Whether anybody may have seen the request. */
      readonly reached: boolean;
      readonly retryAfterMs: number | null;
      /** What is answered where the patience is used up. */
      readonly last: Reply;
    };

async function tryOnce(connection: Connection, wanted: Call): Promise<Try> {
  const timeout = ((wanted.waitSeconds ?? defaultWaitSeconds) + (wanted.answerSeconds ?? defaultAnswerSeconds)) * 1000;
  try {
    const response = await request(`${connection.apiUrl}${wanted.path}`, {
      method: wanted.method,
      headers: headersOf(connection, wanted),
      ...(wanted.body !== undefined && { body: JSON.stringify(wanted.body) }),
      headersTimeout: timeout,
      bodyTimeout: timeout,
    });
    return judge(response.statusCode, await response.body.text(), response.headers['retry-after']);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const detail = `cannot reach the API at ${connection.apiUrl}${code === '' ? '' : ` (${code})`}`;
    const reached = !neverConnected.has(code);
    return {
      kind: 'again',
      why: 'the connection was lost',
      reached,
      retryAfterMs: null,
      last: { kind: 'unreachable', detail },
    };
  }
}

const neverConnected = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

function headersOf(connection: Connection, wanted: Call): Record<string, string> {
  return {
    Accept: 'application/json',
    Authorization: `Bearer ${connection.apiKey}`,
    ...(wanted.body !== undefined && { 'Content-Type': 'application/json' }),
    ...(wanted.idempotencyKey !== undefined && { 'Idempotency-Key': wanted.idempotencyKey }),
    ...(wanted.waitSeconds !== undefined && {
      Prefer: wanted.waitSeconds === 0 ? 'respond-async' : `wait=${wanted.waitSeconds}`,
    }),
  };
}

function judge(status: number, text: string, retryAfter: string | string[] | undefined): Try {
  const body = jsonOrUndefined(text);
  if (status < 300) return { kind: 'reply', reply: { kind: 'answer', status, text, body } };
  const parsed = problemSchema.safeParse(body);
  // A proxy in between may answer with something of its own.
  const problem = parsed.success ? parsed.data : { code: `http_${status}`, detail: 'the answer is not one of the API' };
  const reply: Reply = { kind: 'problem', status, text, problem };
  const again = (why: string): Try => {
    const seconds = Number(retryAfter);
    const retryAfterMs = retryAfter !== undefined && seconds >= 0 ? seconds * 1000 : null;
    return { kind: 'again', why, reached: true, retryAfterMs, last: reply };
  };
  if (status === 503) return again('the API cannot answer at the moment');
  if (status === 409 && problem.code === 'request_in_progress') return again('the same request is still under way');
  return { kind: 'reply', reply };
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
