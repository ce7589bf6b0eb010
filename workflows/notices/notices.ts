/** Sends a batch of notices: `notices/<batch>`. Opens a review for those that 3 attempts could not send. */
import { sleep, uuid4, workflowInfo } from '@temporalio/workflow';
import { currentInput } from '../shared/earlier-names.js';
import { describe } from '../shared/failures.js';
import { database, notices as sending } from '../shared/proxies.js';
import type { NoticesInput } from './contract.js';

const attempts = 3;

export async function notices(recorded: NoticesInput): Promise<void> {
  const { rowIds, waitSeconds, retry } = currentInput(recorded);
  let unsent = rowIds;
  let lastError: string | null = null;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    try {
      ({ unsent, lastError } = await sending.sendNotices(unsent));
    } catch (error) {
      lastError = describe(error);
    }
    if (unsent.length === 0) return;
    if (attempt < attempts)
      await sleep(Math.max(1, attempt * waitSeconds * retry.retryBaseScale * 1000), {
        summary: `Wait before sending the unsent notices again (attempt ${attempt + 1} of ${attempts})`,
      });
  }
  await database.openReview({
    id: `rev_${uuid4().replaceAll('-', '')}`,
    kind: 'mail_undeliverable',
    subject: workflowInfo().workflowId,
    detail: { outboxIds: unsent },
    attempts,
    lastError,
    workflowId: null,
  });
}
