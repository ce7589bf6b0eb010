/**
 * Sagas that ended before their business was done: an operator has terminated the workflow, or it failed. Each is run again
 * with its own input. Its steps have keys, so the new run finds what was done and carries on from there, as a worker does
 * that takes over from one that was killed. To end an order or a transfer, cancel it.
 */
import { createHash } from 'node:crypto';
import { type Client, WorkflowExecutionAlreadyStartedError, type WorkflowExecutionInfo } from '@temporalio/client';
import type { Logger } from 'pino';
import type { Connection } from '../db/client.js';
import { unsettledSagas } from '../db/lost-sagas.js';
import { openReview } from '../db/reviews.js';
import { taskQueue, workflowTaskTimeoutMs } from '../workflows/contract.js';

/** Runs that ended too soon, before a person is told instead of another being started. */
const maxLostRuns = 3;
/** What one look takes on; the next look finds the others. */
const maxRuns = 1000;
/** How far back a look goes: what is older was seen by the looks of that time. */
const lookBackHours = 24;

interface Lost {
  readonly newest: WorkflowExecutionInfo;
  readonly runs: number;
}

/** Runs the lost sagas of orders, payments and transfers again, or puts them before a person. Returns how many it started. */
export async function resumeLostSagas(
  client: Client,
  { db, sql }: Connection,
  log: Logger,
  onProgress: () => void,
): Promise<number> {
  const lost = await lostSagas(client);
  const unsettled = new Set(await unsettledSagas(sql, [...lost.keys()]));
  let started = 0;
  for (const [workflowId, { newest, runs }] of lost) {
    if (!unsettled.has(workflowId)) continue;
    if (runs >= maxLostRuns) {
      const { runId, status } = newest;
      // The same case for the same run, however often it is seen.
      const id = `rev_${createHash('sha256').update(runId).digest('hex').slice(0, 32)}`;
      const detail = { runs, lastRunId: runId, endedAs: status.name };
      const lastError = 'the workflow ended before its business was done, and so did the runs that resumed it';
      const about = { subject: workflowId, detail, attempts: runs, lastError, workflowId: null };
      await openReview(db, { id, kind: 'saga_lost', ...about });
    } else if (await runAgain(client, newest)) {
      started += 1;
      log.warn({ workflowId, endedAs: newest.status.name }, 'a saga that ended too soon is resumed');
    }
    onProgress();
  }
  return started;
}

async function lostSagas(client: Client): Promise<Map<string, Lost>> {
  const since = new Date(Date.now() - lookBackHours * 3_600_000).toISOString();
  const query = `WorkflowType IN ('order', 'payment', 'transfer') AND ExecutionStatus IN ('Terminated', 'Failed', 'TimedOut') AND CloseTime > '${since}'`;
  const lost = new Map<string, Lost>();
  let seen = 0;
  // Newest first.
  for await (const run of client.workflow.list({ query, pageSize: 200 })) {
    const known = lost.get(run.workflowId);
    lost.set(run.workflowId, { newest: known?.newest ?? run, runs: (known?.runs ?? 0) + 1 });
    seen += 1;
    if (seen >= maxRuns) break;
  }
  return lost;
}

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
