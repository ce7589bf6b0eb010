/**
 * Resumes sagas whose workflow was terminated or failed before their business was done. Each gets a new run with the same
 * input. The steps have keys, so the new run finds what was done and resumes from there, as a worker does after another was
 * killed. To end an order or a transfer, cancel it.
 */
import { createHash } from 'node:crypto';
import {
  type Client,
  isGrpcServiceError,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowExecutionInfo,
} from '@temporalio/client';
import type { Logger } from 'pino';
import type { Connection } from '../../db/postgres/client.js';
import { unsettledSagas } from '../../db/reviews/lost-sagas.js';
import { closeReviewsOf, openReview } from '../../db/reviews/reviews.js';
import { taskQueue } from '../../workflows/shared/contract.js';

/** Runs lost within a day before a review is opened instead of starting another. */
const maxLostRuns = 3;
const dayMs = 86_400_000;
/** Runs that one sweep starts; the next one finds the others. */
const maxStarts = 1000;
/** Sagas whose business is looked up at once. */
const lookUpSize = 1000;
/** Ids that one query of the server names. */
const runningBatch = 100;

interface Lost {
  readonly newest: WorkflowExecutionInfo;
  /** Within the last day. */
  readonly runs: number;
}

export interface LostSagaTools {
  readonly client: Client;
  readonly connection: Connection;
  readonly log: Logger;
  readonly workflowTaskTimeoutSeconds: number;
}

/** Starts lost sagas of orders, payments, refunds, subscriptions, test clocks, transfers and verifications again, or opens a review. Returns how many it started. */
export async function resumeLostSagas(tools: LostSagaTools, onProgress: () => void): Promise<number> {
  const { client, connection } = tools;
  const { db, sql } = connection;
  const lost = await lostSagas(client, onProgress);
  const ids = [...lost.keys()];
  const unsettled = new Set<string>();
  for (let from = 0; from < ids.length; from += lookUpSize)
    for (const id of await unsettledSagas(sql, ids.slice(from, from + lookUpSize))) unsettled.add(id);
  for (const id of await runningOf(client, [...unsettled], onProgress)) unsettled.delete(id);
  let started = 0;
  for (const [workflowId, { newest, runs }] of lost) {
    if (started >= maxStarts) break;
    if (!unsettled.has(workflowId)) continue;
    if (runs >= maxLostRuns) {
      const { runId, status } = newest;
      // One review for each run, however often the sweep finds it.
      const id = `rev_${createHash('sha256').update(runId).digest('hex').slice(0, 32)}`;
      const detail = { runs, lastRunId: runId, endedAs: status.name };
      const lastError = 'the workflow ended before its business was done, and so did the runs that resumed it';
      const about = { subject: workflowId, detail, attempts: runs, lastError, workflowId: null };
      await openReview(db, { id, kind: 'saga_lost', ...about });
    } else if (await resume(tools, newest)) started += 1;
    onProgress();
  }
  return started;
}

/** Every saga with a terminated or failed run that the server still keeps. */
async function lostSagas(client: Client, onProgress: () => void): Promise<Map<string, Lost>> {
  const query = `WorkflowType IN ('order', 'payment', 'refund', 'subscription', 'transfer', 'verification', 'reconciliation', 'processorSync', 'testClock') AND ExecutionStatus IN ('Terminated', 'Failed', 'TimedOut')`;
  const since = Date.now() - dayMs;
  const lost = new Map<string, Lost>();
  // Newest first.
  for await (const run of client.workflow.list({ query, pageSize: 1000 })) {
    const known = lost.get(run.workflowId);
    const recent = (run.closeTime?.getTime() ?? since) >= since ? 1 : 0;
    lost.set(run.workflowId, { newest: known?.newest ?? run, runs: (known?.runs ?? 0) + recent });
    if (lost.size % 1000 === 0) onProgress();
  }
  return lost;
}

/** Those that run: the server keeps the lost run of a saga that was resumed long ago. */
async function runningOf(client: Client, ids: readonly string[], onProgress: () => void): Promise<readonly string[]> {
  const running: string[] = [];
  for (let from = 0; from < ids.length; from += runningBatch) {
    const named = ids.slice(from, from + runningBatch).map((id) => `'${id.replaceAll("'", "''")}'`);
    const query = `ExecutionStatus = 'Running' AND WorkflowId IN (${named.join(', ')})`;
    for await (const { workflowId } of client.workflow.list({ query, pageSize: runningBatch }))
      running.push(workflowId);
    onProgress();
  }
  return running;
}

/** Whether another run was started. A saga that cannot be resumed does not stop the sweep. */
async function resume(tools: LostSagaTools, run: WorkflowExecutionInfo): Promise<boolean> {
  const { connection, log } = tools;
  const { workflowId, status, closeTime } = run;
  try {
    // No run receives decisions on the lost run's reviews; the new run opens its own.
    if (closeTime !== undefined) await closeReviewsOf(connection.db, workflowId, closeTime.toISOString());
    if (!(await runAgain(tools, run))) return false;
    log.warn({ workflowId, endedAs: status.name }, 'lost saga resumed');
    return true;
  } catch (error) {
    if (!isGrpcServiceError(error) || passing.includes(error.code)) throw error;
    log.error({ workflowId, err: error }, 'lost saga cannot be resumed');
    return false;
  }
}

/** gRPC: DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAVAILABLE. */
const passing: readonly number[] = [4, 8, 14];

/** Starts the saga again with the lost run's input. False where another run was started meanwhile. */
async function runAgain(
  { client, workflowTaskTimeoutSeconds }: LostSagaTools,
  { workflowId, runId, type, memo, typedSearchAttributes }: WorkflowExecutionInfo,
) {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: 1,
  });
  const payload = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
  if (!payload) return false;
  const input = client.options.loadedDataConverter.payloadConverter.fromPayload<object>(payload);
  try {
    const handle = await client.workflow.start(type, {
      workflowId,
      taskQueue,
      args: [{ ...input, resumed: runId }],
      workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
      workflowIdConflictPolicy: 'FAIL',
      workflowTaskTimeout: workflowTaskTimeoutSeconds * 1000,
      ...(memo && { memo }),
      typedSearchAttributes,
    });
    return handle.firstExecutionRunId !== runId;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}
