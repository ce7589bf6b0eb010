/** Delivers mails, notices and the reports of processors: one workflow handles a batch of rows. */
import { randomUUID } from 'node:crypto';
import { batchTopics, claimBatches, type OutboxBatch } from '../../db/outbox/outbox.js';
import { noticesWorkflowId } from '../../workflows/notices/contract.js';
import { processorSyncWorkflowId } from '../../workflows/processor/contract.js';
import { taskQueue } from '../../workflows/shared/contract.js';
import { deliver, type RelayTools } from './dispatch.js';

const maxBatch = 200;

/** The wait before a second try to send; the third waits twice as long. */
const waitSeconds = { mail: 10, notice: 5 } as const;

/** Starts the workflows of all waiting batches. Returns the milliseconds until the next one is due; null where none is known. */
export async function relayBatches(tools: RelayTools): Promise<number | null> {
  const { sql, claimSeconds: leaseSeconds } = tools;
  const claimed = await Promise.all(
    batchTopics.map((topic) => claimBatches(sql, topic, randomUUID(), { limit: maxBatch, leaseSeconds })),
  );
  const batches = claimed.flat();
  const waits = await Promise.all(
    batches.map((batch) => {
      const { type, workflowId, input } = workflowOf(batch, tools);
      return deliver(tools, {
        rowIds: batch.rowIds,
        about: `batch/${batch.batchId}`,
        start: (client) =>
          client.workflow.start(type, {
            workflowId,
            taskQueue,
            workflowTaskTimeout: tools.workflowTaskTimeoutSeconds * 1000,
            args: [input],
            workflowIdReusePolicy: 'REJECT_DUPLICATE',
            workflowIdConflictPolicy: 'USE_EXISTING',
            requestEagerStart: true,
          }),
      });
    }),
  );
  if (batches.some(({ rowIds }) => rowIds.length >= maxBatch)) return 0;
  return soonest(waits);
}

/** The workflow that handles a batch. */
function workflowOf({ batchId, topic, rowIds }: OutboxBatch, { retry }: RelayTools) {
  if (topic === 'processor')
    return { type: 'processorSync', workflowId: processorSyncWorkflowId(batchId), input: { rowIds, retry } };
  const input = { rowIds, waitSeconds: waitSeconds[topic], retry };
  return { type: 'notices', workflowId: noticesWorkflowId(batchId), input };
}

/** The shortest wait; null where there is none. */
function soonest(waits: readonly (number | null)[]): number | null {
  const there = waits.filter((wait) => wait !== null);
  return there.length === 0 ? null : Math.min(...there);
}
