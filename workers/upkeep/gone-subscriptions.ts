/**
 * Starts subscriptions again whose workflow the server does not know any more: it was lost longer ago than the server keeps
 * histories. Their rows say all that a new run needs. The sweep finds those that are overdue; others are found once their
 * clock or a client asks them for something.
 */
import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { Logger } from 'pino';
import type { Connection } from '../../db/postgres/client.js';
import { overdueSubscriptions, type SubscriptionRow } from '../../db/subscriptions/queries.js';
import { resumptionOf } from '../../db/subscriptions/resumption.js';
import type { Settings } from '../../domain/settings.js';
import { taskQueue } from '../../workflows/shared/contract.js';
import { type SubscriptionInput, subscriptionWorkflowId } from '../../workflows/subscription/contract.js';

/** A worker that is only late has billed by then. */
const overdueSeconds = 300;
/** Those that one sweep starts; the next one finds the others. */
const maxStarts = 1000;

export interface GoneTools {
  readonly client: Client;
  readonly connection: Connection;
  readonly log: Logger;
  readonly settings: Settings;
}

/** Returns how many were started. */
export async function restartGoneSubscriptions(
  { client, connection, log, settings }: GoneTools,
  onProgress: () => void,
): Promise<number> {
  let started = 0;
  for (const row of await overdueSubscriptions(connection.db, overdueSeconds, maxStarts)) {
    onProgress();
    if (!(await startFromRow(client, row, settings))) continue;
    started += 1;
    log.warn({ workflowId: subscriptionWorkflowId(row.id) }, 'subscription without a workflow started again');
  }
  return started;
}

/** False where the server knows its workflow: the sweep resumes one that was lost. */
export async function startFromRow(client: Client, row: SubscriptionRow, settings: Settings): Promise<boolean> {
  const caller = { actor: 'sweep', traceparent: '', requestId: null };
  const input: SubscriptionInput = { ...resumptionOf(row, settings), caller };
  try {
    await client.workflow.start('subscription', {
      ...{ workflowId: subscriptionWorkflowId(row.id), taskQueue, args: [input] },
      ...{ workflowIdReusePolicy: 'REJECT_DUPLICATE', workflowIdConflictPolicy: 'FAIL' },
      workflowTaskTimeout: settings.workflowTaskTimeoutSeconds * 1000,
    });
    return true;
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return false;
  }
}
