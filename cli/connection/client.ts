/** Calls to the API, with retries: every POST carries one idempotency key for all its attempts. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { defaultWaitSeconds } from '../../domain/limits.js';
import { type Answer, exchange } from './http.js';
import type { problem as problemSchema } from './resources.js';
import type { Connection } from './settings.js';

/** How long a call is retried after a lost connection, or while the API answers `unavailable` or `request_in_progress`. */
const patienceSeconds = 20;
/** How long a call is retried if nothing has accepted a connection yet. */
const unreachableSeconds = 3;
/** How long the API may take to answer beyond the wait it was asked for. */
const answerSeconds = 15;
const firstPauseMs = 200;
const maxPauseMs = 2000;

export type Problem = z.infer<typeof problemSchema>;

/** The result of a call. `text` is what the API sent, byte for byte. */
export type Reply =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly text: string;
      readonly body: unknown;
      /** The API did this earlier under the same key and repeats its first answer. */
      readonly replayed: boolean;
    }
  | {
      readonly kind: 'problem';
      readonly status: number;
      readonly text: string;
      readonly problem: Problem;
      readonly replayed: boolean;
      /** How long the API asks the client to wait; null if it does not say. */
      readonly retryAfterMs: number | null;
    }
  | { readonly kind: 'unreachable'; readonly detail: string };

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With its query. */
  readonly path: string;
  readonly body?: unknown;
  /** For POSTs. The same for every attempt. */
  readonly idempotencyKey?: string;
  /** How long the API should wait for a decision, in seconds. 0: not at all. Absent: its own default. */
  readonly waitSeconds?: number | undefined;
}

export interface Pauses {
  readonly patienceSeconds: number;
  readonly unreachableSeconds: number;
}

/**
 * Makes one call. Retries it with the same key, for a bounded time, after a lost connection, a 503 or a 409
 * `request_in_progress` (after their Retry-After). `onRetry` is called once, before the first retry of a call that may have
 * reached the API.
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
  let announced = false;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, maxPauseMs)) {
    const outcome = await attempt(connection, wanted);
    if (outcome.kind === 'reply') return outcome.reply;
    reached ||= outcome.reached;
    const retryBudget = reached
      ? pauses.patienceSeconds + (wanted.waitSeconds ?? (wanted.method === 'POST' ? defaultWaitSeconds : 0))
      : pauses.unreachableSeconds;
    const pause = outcome.retryAfterMs ?? pauseMs;
    if (budgetMs(retryBudget) < pause) return outcome.last;
    if (outcome.reached && !announced) onRetry(outcome.why);
    announced ||= outcome.reached;
    await sleep(pause);
  }
}

type Attempt =
  | { readonly kind: 'reply'; readonly reply: Reply }
  | {
      readonly kind: 'again';
      readonly why: string;
      /** Whether the request may have arrived. */
      readonly reached: boolean;
      readonly retryAfterMs: number | null;
      /** The reply if no time is left for another attempt. */
      readonly last: Reply;
    };

async function attempt(connection: Connection, wanted: Call): Promise<Attempt> {
  const idleTimeoutMs = ((wanted.waitSeconds ?? defaultWaitSeconds) + answerSeconds) * 1000;
  try {
    const answer = await exchange(`${connection.apiUrl}${wanted.path}`, {
      method: wanted.method,
      headers: headersOf(connection, wanted),
      ...(wanted.body !== undefined && { body: JSON.stringify(wanted.body) }),
      idleTimeoutMs,
    });
    return await judge(answer);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const detail = `cannot reach the API at ${connection.apiUrl}${code === '' ? '' : ` (${code})`}`;
    return {
      kind: 'again',
      why: 'the connection was lost',
      reached: !neverConnected.has(code),
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
  'ECONNTIMEOUT',
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

async function judge({ status, text, headers }: Answer): Promise<Attempt> {
  const body = jsonOrUndefined(text);
  const replayed = headers['idempotency-replayed'] === 'true';
  if (status >= 200 && status < 300) return { kind: 'reply', reply: { kind: 'answer', status, text, body, replayed } };
  const { problem: problemSchema } = await import('./resources.js');
  const parsed = problemSchema.safeParse(body);
  // A proxy in between may send an answer of its own.
  const problem = parsed.success ? parsed.data : { code: `http_${status}`, detail: 'this answer is not from Holdfast' };
  const retryAfterMs = pauseOf(headers['retry-after'], Date.now());
  const reply: Reply = { kind: 'problem', status, text, problem, replayed, retryAfterMs };
  const again = (why: string): Attempt => ({ kind: 'again', why, reached: true, retryAfterMs, last: reply });
  if (status === 503) return again('the API cannot answer at the moment');
  if (status === 409 && problem.code === 'request_in_progress') return again('the same request is still under way');
  return { kind: 'reply', reply };
}

/** The milliseconds a `Retry-After` asks for, in seconds or as a date. Null if it is absent or neither. */
export function pauseOf(retryAfter: string | undefined, now: number): number | null {
  if (retryAfter === undefined) return null;
  if (/^\d{1,9}$/.test(retryAfter)) return Number(retryAfter) * 1000;
  // Date.parse makes a year of any number.
  const at = /^[A-Z][a-z]{2}, /.test(retryAfter) ? Date.parse(retryAfter) : Number.NaN;
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
