/** Reconciles the last days, run by a schedule: `reconciliation/<id>`, as if a person had asked for it. */
import { executeChild, isCancellation, uuid4 } from '@temporalio/workflow';
import { database } from '../shared/proxies.js';
import { type ReconciliationAnswer, type ReconciliationInput, reconciliationWorkflowId } from './contract.js';
import { reconciliation } from './reconciliation.js';

/** A refund or a dispute is of the day that it was made on, so this covers nights that were missed. */
const windowDays = 3;
const dayMs = 86_400_000;

export async function nightlyReconciliation(): Promise<void> {
  const now = new Date();
  const reconciliationId = `rcn_${uuid4().replaceAll('-', '')}`;
  const window = { from: new Date(now.getTime() - windowDays * dayMs).toISOString(), to: now.toISOString() };
  const input = { reconciliationId, ...window, actor: 'schedule', requestedAt: now.toISOString() };
  if ((await reconciled(input)) === 'failed') await openReview(input);
}

async function reconciled(input: ReconciliationInput): Promise<ReconciliationAnswer> {
  const workflowId = reconciliationWorkflowId(input.reconciliationId);
  try {
    return await executeChild(reconciliation, { workflowId, args: [input] });
  } catch (error) {
    if (isCancellation(error)) throw error;
    return 'failed';
  }
}

/** Nobody waits for the answer of a nightly reconciliation. */
async function openReview({ reconciliationId, from, to }: ReconciliationInput): Promise<void> {
  await database.openReview({
    ...{ id: `rev_${uuid4().replaceAll('-', '')}`, kind: 'reconciliation' },
    ...{ subject: `reconciliation/${reconciliationId}`, detail: { reconciliationId, from, to }, attempts: 1 },
    ...{ lastError: 'a nightly reconciliation failed; its failure says why', workflowId: null },
  });
}
