/** Sends the batches of a bulk one after the other, since a line may depend on the lines before it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Problem, Reply } from '../connection/client.js';
import { progressBar } from '../terminal/progress.js';
import { exitCodes, parse, type Session } from '../terminal/session.js';
import type { Batch } from './file.js';
import type { LineResult, Results } from './results.js';

/** How long to wait after a 429 without a Retry-After. */
const rateLimitPauseMs = 1000;

export interface Outcome {
  readonly operations: number;
  readonly failed: number;
  /** Operations done earlier: their results were in the file, or the API replayed its answer. */
  readonly resumed: number;
}

/**
 * Sends the batches that have no results yet. Returns null if it had to stop, after reporting why and setting the exit code.
 * Ctrl-C stops it after the batch in flight, a second Ctrl-C at once; the same command can resume either.
 * @param before the batches that have results, with how many of their operations failed
 */
export async function sendBatches(
  session: Session,
  batches: readonly Batch[],
  results: Results,
  before: ReadonlyMap<string, number>,
): Promise<Outcome | null> {
  const interrupted = new AbortController();
  const onInterrupt = () => {
    if (interrupted.signal.aborted) process.exit(exitCodes.interrupted);
    interrupted.abort();
    session.tell('stopping after the batch in flight; press Ctrl-C again to stop at once');
  };
  process.on('SIGINT', onInterrupt);
  try {
    return await send(session, batches, results, before, interrupted.signal);
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}

async function send(
  session: Session,
  batches: readonly Batch[],
  results: Results,
  before: ReadonlyMap<string, number>,
  interrupted: AbortSignal,
): Promise<Outcome | null> {
  const total = batches.reduce((sum, { operations }) => sum + operations.length, 0);
  const progress = progressBar(session.terminal, total, 'operations');
  let done = 0;
  let failed = 0;
  let resumed = 0;
  const stop = (): null => {
    progress(total);
    session.tell(`${done} of ${total} operations have results; run the same command to resume`);
    return null;
  };
  for (const batch of batches) {
    const known = before.get(batch.key);
    if (known !== undefined) {
      failed += known;
      resumed += batch.operations.length;
    } else {
      const answered = await sendBatch(session, batch, interrupted);
      if (answered === null) return stop();
      try {
        results.add(batch, answered.results);
      } catch (error) {
        session.fail(`cannot write results: ${error instanceof Error ? error.message : error}`, exitCodes.usage);
        return stop();
      }
      failed += answered.results.filter(({ success }) => !success).length;
      if (answered.replayed) resumed += batch.operations.length;
    }
    done += batch.operations.length;
    progress(done);
    if (interrupted.aborted && done < total) {
      session.exitCode = exitCodes.interrupted;
      return stop();
    }
  }
  return { operations: total, failed, resumed };
}

interface Answered {
  readonly results: readonly LineResult[];
  readonly replayed: boolean;
}

/** Null if the API could not be reached, refused the whole call, or the wait was interrupted. */
async function sendBatch(session: Session, batch: Batch, interrupted: AbortSignal): Promise<Answered | null> {
  const reply = await askPatiently(session, batch, interrupted);
  if (reply === 'interrupted') {
    session.exitCode = exitCodes.interrupted;
    return null;
  }
  // If every operation failed, the problem still holds a result for each.
  const failed = problemOf(reply, 'all_operations_failed');
  const answered = failed === null ? await session.read(reply, 'bulkResult') : await parse('bulkResult', failed);
  if (answered === null || reply === null || reply.kind === 'unreachable') return null;
  if (answered.results.length !== batch.operations.length) {
    session.fail('this command does not understand the answer; is the API of another version?', exitCodes.refused);
    return null;
  }
  const results = batch.operations.map(({ line, operation }, index): LineResult => {
    const { success = false, result, error } = answered.results[index] ?? {};
    return {
      line,
      operation,
      success,
      reservationId: result?.reservationId ?? operation.reservationId ?? null,
      onHand: result?.onHand ?? null,
      reserved: result?.reserved ?? null,
      available: result?.available ?? null,
      code: error?.code ?? null,
      detail: error?.detail ?? null,
    };
  });
  return { results, replayed: reply.replayed };
}

/** Repeats the call under the same key while the API answers that there are too many requests. */
async function askPatiently(
  session: Session,
  batch: Batch,
  interrupted: AbortSignal,
): Promise<Reply | null | 'interrupted'> {
  const body = { operations: batch.operations.map(({ operation }) => operation) };
  for (;;) {
    const reply = await session.post('/api/inventory/bulk', body, { idempotencyKey: batch.key });
    if (reply?.kind !== 'problem' || reply.problem.code !== 'rate_limited') return reply;
    const pauseMs = reply.retryAfterMs ?? rateLimitPauseMs;
    session.tell(`too many requests; waiting ${Math.ceil(pauseMs / 1000)} s, as the API asks`);
    const waited = await sleep(pauseMs, true, { signal: interrupted }).catch(() => false);
    if (!waited) return 'interrupted';
  }
}

function problemOf(reply: Reply | null, code: string): Problem | null {
  return reply?.kind === 'problem' && reply.problem.code === code ? reply.problem : null;
}
