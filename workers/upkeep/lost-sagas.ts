/**
 * Sagas that ended before their business was done: an operator has terminated the workflow, or it failed. Each is run again
 * with its own input. Its steps have keys, so the new run finds what was done and carries on from there, as a worker does
 * that takes over from one that was killed. To end an order or a transfer, cancel it.
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
import { taskQueue, workflowTaskTimeoutMs } from '../../workflows/shared/contract.js';

/** Runs that ended too soon within a day, before a person is told instead of another being started. */
const maxLostRuns = 3;
const dayMs = 86_400_000;
/** Runs that one look starts; the next look finds the others. */
const maxStarts = 1000;
/** Sagas whose business is looked up at once. */
const lookUpSize = 1000;

interface Lost {
  readonly newest: WorkflowExecutionInfo;
  /** Within the last day. */
  readonly runs: number;
}

/** Runs the lost sagas of orders, payments, transfers and verifications again, or puts them before a person. Returns how many it started. */
export async function resumeLostSagas(
  client: Client,
  { db, sql }: Connection,
  log: Logger,
  onProgress: () => void,
): Promise<number> {
  const lost = await lostSagas(client, onProgress);
  const ids = [...lost.keys()];
  const unsettled = new Set<string>();
  for (let from = 0; from < ids.length; from += lookUpSize)
    for (const id of await unsettledSagas(sql, ids.slice(from, from + lookUpSize))) unsettled.add(id);
  let started = 0;
  for (const [workflowId, { newest, runs }] of lost) {
    if (started >= maxStarts) break;
    if (!unsettled.has(workflowId)) continue;
    if (runs >= maxLostRuns) {
      const { runId, status } = newest;
      // The same case for the same run, however often it is seen.
      const id = `rev_${createHash('sha256').update(runId).digest('hex').slice(0, 32)}`;
      const detail = { runs, lastRunId: runId, endedAs: status.name };
      const lastError = 'the workflow ended before its business was done, and so did the runs that resumed it';
      const about = { subject: workflowId, detail, attempts: runs, lastError, workflowId: null };
      await openReview(db, { id, kind: 'saga_lost', ...about });
    } else if (await resume(client, db, newest, log)) started += 1;
    onProgress();
  }
  return started;
}

/** Every saga with a run that was ended from outside or failed and that the server still keeps. */
async function lostSagas(client: Client, onProgress: () => void): Promise<Map<string, Lost>> {
  const query = `WorkflowType IN ('order', 'payment', 'transfer', 'verification') AND ExecutionStatus IN ('Terminated', 'Failed', 'TimedOut')`;
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

/** Whether another run was started. One that cannot be started keeps no other from it. */
async function resume(client: Client, db: Connection['db'], run: WorkflowExecutionInfo, log: Logger): Promise<boolean> {
  const { workflowId, status } = run;
  try {
    // Nobody hears a decision on the cases of the run that was lost; the new run opens its own.
    await closeReviewsOf(db, workflowId);
    if (!(await runAgain(client, run))) return false;
    log.warn({ workflowId, endedAs: status.name }, 'a saga that ended too soon is resumed');
    return true;
  } catch (error) {
    if (!isGrpcServiceError(error) || passing.includes(error.code)) throw error;
    log.error({ workflowId, err: error }, 'a saga that ended too soon cannot be resumed');
    return false;
  }
}

/** gRPC: DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAVAILABLE. */
const passing: readonly number[] = [4, 8, 14];

/** Starts the saga again with the input of the run that was lost. False where another run has been started meanwhile. */
async function runAgain(
  client: Client,
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
      workflowTaskTimeout: workflowTaskTimeoutMs,
      ...(memo && { memo }),
      typedSearchAttributes,
    });
    return handle.firstExecutionRunId !== runId;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}
