/**
 * Starts subscriptions again that are overdue and whose workflow the server does not know any more: it was lost longer ago
 * than the server keeps histories. Their rows say all that a new run needs.
 */
import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { Logger } from 'pino';
import type { Connection } from '../../db/postgres/client.js';
import { overdueSubscriptions, type SubscriptionRow } from '../../db/subscriptions/queries.js';
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
    const workflowId = subscriptionWorkflowId(row.id);
    try {
      await client.workflow.start('subscription', {
        ...{ workflowId, taskQueue, args: [inputOf(row, settings)] },
        // The sweep resumes those whose last run the server still knows.
        ...{ workflowIdReusePolicy: 'REJECT_DUPLICATE', workflowIdConflictPolicy: 'FAIL' },
        workflowTaskTimeout: settings.workflowTaskTimeoutSeconds * 1000,
      });
      started += 1;
      log.warn({ workflowId }, 'subscription without a workflow started again');
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }
  return started;
}

/** The input of a run that finds its subscription as it stands; its cards are in the row. */
function inputOf(row: SubscriptionRow, settings: Settings): SubscriptionInput {
  const { retryBaseScale, gatewayTimeoutSeconds } = settings;
  return {
    subscriptionId: row.id,
    customerId: row.customerId,
    email: row.email,
    plan: { amount: row.planAmount, currency: row.planCurrency, interval: row.planInterval },
    gateway: row.gateway,
    ...{ cardToken: '', backupCardToken: null, startAt: null, anchorDay: row.anchorDay, testClock: row.testClock },
    dunningWaitsSeconds: settings.payments.dunningWaitsSeconds,
    retry: { retryBaseScale, gatewayTimeoutSeconds },
    caller: { actor: 'sweep', traceparent: '', requestId: null },
    requestedAt: row.createdAt,
    continued: true,
  };
}
