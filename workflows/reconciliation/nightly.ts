/** Reconciles the last days, run by a schedule: `reconciliation/<id>`, as if a person had asked for it. */
import { executeChild, uuid4 } from '@temporalio/workflow';
import { type ReconciliationInput, reconciliationWorkflowId } from './contract.js';
import { reconciliation } from './reconciliation.js';

/** A refund or a dispute is of the day that it was made on, so this covers nights that were missed. */
const windowDays = 3;
const dayMs = 86_400_000;

export async function nightlyReconciliation(): Promise<void> {
  const now = new Date();
  const reconciliationId = `rcn_${uuid4().replaceAll('-', '')}`;
  const input: ReconciliationInput = {
    reconciliationId,
    from: new Date(now.getTime() - windowDays * dayMs).toISOString(),
    to: now.toISOString(),
    actor: 'schedule',
    requestedAt: now.toISOString(),
  };
  await executeChild(reconciliation, { workflowId: reconciliationWorkflowId(reconciliationId), args: [input] });
}
