/** One attempt to deliver outbox rows to a workflow. A failed attempt reschedules them or opens a review. */
import { randomUUID } from 'node:crypto';
import { type Client, isGrpcServiceError, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { Logger } from 'pino';
import { failDelivery, postponeDelivery } from '../../db/outbox/outbox.js';
import type { Sql } from '../../db/postgres/client.js';
import { presentable } from '../../gateways/http/fault.js';
import type { RetrySettings } from '../../workflows/shared/contract.js';

/** What every delivery needs. */
export interface RelayTools {
  readonly sql: Sql;
  readonly client: Client;
  readonly retry: RetrySettings;
  readonly claimSeconds: number;
  readonly workflowTaskTimeoutSeconds: number;
  readonly log: Logger;
  /** Marks rows whose workflow exists. Concurrent calls share a statement. */
  readonly markDelivered: (rowIds: readonly number[]) => Promise<void>;
  /** A place where a drill may kill this process. */
  readonly reached: (place: string, about: string) => void;
}

/** Failed attempts of a row before a review is opened. Outages do not count. */
const maxAttempts = 10;
const firstWaitSeconds = 1;
const outageWaitSeconds = 1;

export interface Delivery {
  readonly rowIds: readonly number[];
  /** Its name in drills and logs. */
  readonly about: string;
  /** Starts the workflow. Idempotent. */
  readonly start: (client: Client) => Promise<unknown>;
}

/** The longest time for one start: Temporal answers sooner, or not at all. */
const maxStartMs = 5000;

/**
 * Starts the workflow and marks the rows delivered. A process that dies in between leaves them to be delivered again: the
 * workflow's id makes both starts one, or the second run finds nothing to do. Returns the milliseconds until the next
 * attempt; null where there is none.
 */
export async function deliver(tools: RelayTools, delivery: Delivery): Promise<number | null> {
  const { client, log } = tools;
  const { rowIds, about, start } = delivery;
  tools.reached('relay.claimed', about);
  try {
    // A call to an unreachable server takes far longer to fail by itself. The claim outlasts the attempt.
    await within(Math.min(maxStartMs, tools.claimSeconds * 500), start(client));
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) return await giveBack(tools, rowIds, about, error);
  }
  tools.reached('relay.started', about);
  await tools.markDelivered(rowIds);
  log.debug({ about, rows: rowIds.length }, 'outbox delivered');
  return null;
}

/** Fails a delivery whose row lacks what the workflow needs. */
export function refuseDelivery(tools: RelayTools, rowIds: readonly number[], why: string): Promise<number | null> {
  return giveBack(tools, rowIds, `outbox/${rowIds[0]}`, new Error(why));
}

async function giveBack(
  { sql, retry, log }: RelayTools,
  rowIds: readonly number[],
  about: string,
  error: unknown,
): Promise<number | null> {
  const lastError = presentable(error instanceof Error ? error.message : String(error));
  if (isOutage(error)) {
    log.warn({ about, err: error }, 'Temporal is unavailable; the outbox waits');
    await postponeDelivery(sql, rowIds, lastError, outageWaitSeconds);
    return outageWaitSeconds * 1000;
  }
  const waitSeconds = await failDelivery(sql, {
    rowIds,
    lastError,
    maxAttempts,
    firstWaitSeconds: firstWaitSeconds * retry.retryBaseScale,
    reviewId: `rev_${randomUUID().replaceAll('-', '')}`,
  });
  log.warn(
    { about, err: error },
    waitSeconds === null ? 'outbox row given up; a review is open' : 'outbox row not delivered',
  );
  return waitSeconds === null ? null : Math.max(1, Math.ceil(waitSeconds * 1000));
}

class StartTimeout extends Error {}

async function within<T>(ms: number, call: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new StartTimeout(`no answer from Temporal within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([call, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** gRPC: cancelled, deadline exceeded, resource exhausted, unavailable. */
const outageCodes = new Set([1, 4, 8, 14]);

function isOutage(error: unknown): boolean {
  if (error instanceof StartTimeout) return true;
  const cause = error instanceof Error && isGrpcServiceError(error.cause) ? error.cause : error;
  if (!isGrpcServiceError(cause) || !outageCodes.has(cause.code)) return false;
  // gRPC also says "resource exhausted" of a message over its limit, which a retry does not make smaller.
  return !/larger than max|too large/i.test(cause.message);
}
