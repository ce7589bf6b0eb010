/**
 * Adopts what processors report of our payments: `processor-sync/<batch>`. Each payment is read afresh. What cannot be
 * adopted is tried again: for a day while the processor does not answer, else for a quarter of an hour. Then a person looks.
 */
import { sleep } from '@temporalio/workflow';
import type { Unadopted } from '../../activities/adoption.js';
import { adopting } from '../shared/proxies.js';
import type { ProcessorSyncInput } from './contract.js';

const firstWaitMs = 1000;
const longestWaitMs = 600_000;
/** Their waits add up to 17 minutes. */
const attemptsAtRefusals = 11;
/** Their waits add up to a day. */
const attemptsAtOutages = 154;

export async function processorSync({ rowIds, retry }: ProcessorSyncInput): Promise<void> {
  /** Of each payment, the refusals since the processor answered last. */
  const refusals = new Map<string, number>();
  let open: readonly Unadopted[] = await adopting.adoptReported(rowIds);
  for (
    let attempt = 1, waitMs = firstWaitMs;
    open.length > 0;
    attempt++, waitMs = Math.min(longestWaitMs, waitMs * 2)
  ) {
    const again: number[] = [];
    for (const unadopted of open) {
      const refused = unadopted.passing ? 0 : (refusals.get(unadopted.providerId) ?? 0) + 1;
      refusals.set(unadopted.providerId, refused);
      if (attempt >= attemptsAtOutages || refused >= attemptsAtRefusals)
        await adopting.giveUpReported(unadopted, attempt);
      else again.push(...unadopted.rowIds);
    }
    if (again.length === 0) return;
    await sleep(Math.max(1, waitMs * Math.min(1, retry.retryBaseScale)), {
      summary: `Wait before the payments are read again (attempt ${attempt + 1})`,
    });
    open = await adopting.adoptReported(again);
  }
}
