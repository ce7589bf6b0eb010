/** One attempt to hand rows of the outbox over to a workflow, and what becomes of them when it fails. */
import { randomUUID } from 'node:crypto';
import { type Client, isGrpcServiceError, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { Logger } from 'pino';
import { failDelivery, postponeDelivery } from '../../db/outbox/outbox.js';
import type { Sql } from '../../db/postgres/client.js';
import { presentable } from '../../gateways/http/fault.js';
import type { RetrySettings } from '../../workflows/shared/contract.js';

/** What the ways of delivery have in common. */
export interface RelayTools {
  readonly sql: Sql;
  readonly client: Client;
  readonly retry: RetrySettings;
  readonly log: Logger;
  /** Writes down that workflows exist for the rows; those that come together share a statement. */
  readonly markDelivered: (rowIds: readonly number[]) => Promise<void>;
  /** A place where a drill may end this process. */
  readonly reached: (place: string, about: string) => void;
}

/** Failures of its own that a row may have before a person is asked. */
const maxAttempts = 10;
/** A call to a server that is away does not end by itself for a long time. */
export const startTimeoutMs = 5000;
const firstWaitSeconds = 1;
const outageWaitSeconds = 1;

export interface Delivery {
  readonly rowIds: readonly number[];
  /** What the drills and the log know it by. */
  readonly about: string;
  /** Has the workflow begun; more than once must be once. */
  readonly begin: (client: Client) => Promise<unknown>;
}

/**
 * Has the workflow begun and marks the rows delivered. Where it ends in between, the rows are delivered again: the workflow's
 * id makes that one start, or a run that finds nothing to do. Returns the milliseconds after which the rows are to be
 * looked at again; null where they are not.
 */
export async function deliver(tools: RelayTools, delivery: Delivery): Promise<number | null> {
  const { client, log } = tools;
  const { rowIds, about, begin } = delivery;
  tools.reached('relay.claimed', about);
  try {
    await within(startTimeoutMs, begin(client));
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) return await giveBack(tools, rowIds, about, error);
  }
  tools.reached('relay.started', about);
  await tools.markDelivered(rowIds);
  log.debug({ about, rows: rowIds.length }, 'outbox delivered');
  return null;
}

/** A delivery that can never be made, since the row itself says too little. */
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
    log.warn({ about, err: error }, 'Temporal does not take what is in the outbox; it waits');
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
  log.warn({ about, err: error }, waitSeconds === null ? 'outbox row put before a person' : 'outbox row not delivered');
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
  // "Resource exhausted" is also what gRPC calls a message over its limit, which will be no smaller next time.
  return !/larger than max|too large/i.test(cause.message);
}
