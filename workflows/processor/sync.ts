/**
 * Adopts what processors report of our payments: `processor-sync/<batch>`. Each payment is read afresh. What cannot be
 * adopted is tried again, for a day while the processor does not answer, else for a quarter of an hour; then a person looks.
 */
import { sleep, uuid4 } from '@temporalio/workflow';
import type { Unadopted } from '../../activities/adoption.js';
import { adopting, database } from '../shared/proxies.js';
import type { ProcessorSyncInput } from './contract.js';

const firstWaitMs = 1000;
const longestWaitMs = 600_000;
/** Their waits add up to 17 minutes. */
const attemptsAtRefusals = 11;
/** Their waits add up to a day. */
const attemptsAtOutages = 154;

export async function processorSync({ rowIds, retry }: ProcessorSyncInput): Promise<void> {
  let open: readonly Unadopted[] = await adopting.adoptReported(rowIds);
  for (
    let attempt = 1, waitMs = firstWaitMs;
    open.length > 0;
    attempt++, waitMs = Math.min(longestWaitMs, waitMs * 2)
  ) {
    const givenUp = open.filter(({ outage }) => attempt >= (outage ? attemptsAtOutages : attemptsAtRefusals));
    for (const unadopted of givenUp) await leaveToPerson(unadopted, attempt);
    const rows = open.filter((unadopted) => !givenUp.includes(unadopted)).flatMap((unadopted) => unadopted.rowIds);
    if (rows.length === 0) return;
    await sleep(Math.max(1, waitMs * Math.min(1, retry.retryBaseScale)), {
      summary: `Wait before the payments are read again (attempt ${attempt + 1})`,
    });
    open = await adopting.adoptReported(rows);
  }
}

async function leaveToPerson({ gateway, providerId, rowIds, error }: Unadopted, attempts: number): Promise<void> {
  await database.openReview({
    id: `rev_${uuid4().replaceAll('-', '')}`,
    kind: 'adoption_failed',
    subject: `processor/${gateway}/${providerId}`,
    detail: { gateway, providerId, outboxIds: rowIds },
    attempts,
    lastError: error,
    workflowId: null,
  });
  await adopting.giveUpReported(rowIds);
}
