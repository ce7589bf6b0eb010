/** Delivers mails and notices: one workflow sends a batch of rows. */
import { randomUUID } from 'node:crypto';
import { type BatchTopic, batchTopics, claimBatches } from '../../db/outbox/outbox.js';
import { noticesWorkflowId } from '../../workflows/notices/contract.js';
import { taskQueue } from '../../workflows/shared/contract.js';
import { deliver, type RelayTools } from './dispatch.js';

const maxBatch = 200;

/** The wait before a second try to send; the third waits twice as long. */
const waitSeconds: Readonly<Record<BatchTopic, number>> = { mail: 10, notice: 5 };

/** Starts the workflows of all waiting batches. Returns the milliseconds until the next one is due; null where none is known. */
export async function relayBatches(tools: RelayTools): Promise<number | null> {
  const { sql, claimSeconds: leaseSeconds } = tools;
  const claimed = await Promise.all(
    batchTopics.map((topic) => claimBatches(sql, topic, randomUUID(), { limit: maxBatch, leaseSeconds })),
  );
  const batches = claimed.flat();
  const waits = await Promise.all(
    batches.map(({ batchId, topic, rowIds }) =>
      deliver(tools, {
        rowIds,
        about: `batch/${batchId}`,
        start: (client) =>
          client.workflow.start('notices', {
            workflowId: noticesWorkflowId(batchId),
            taskQueue,
            workflowTaskTimeout: tools.workflowTaskTimeoutSeconds * 1000,
            args: [{ rowIds, waitSeconds: waitSeconds[topic], retry: tools.retry }],
            workflowIdReusePolicy: 'REJECT_DUPLICATE',
            workflowIdConflictPolicy: 'USE_EXISTING',
            requestEagerStart: true,
          }),
      }),
    ),
  );
  if (batches.some(({ rowIds }) => rowIds.length >= maxBatch)) return 0;
  return soonest(waits);
}

/** The shortest wait; null where there is none. */
function soonest(waits: readonly (number | null)[]): number | null {
  const there = waits.filter((wait) => wait !== null);
  return there.length === 0 ? null : Math.min(...there);
}
