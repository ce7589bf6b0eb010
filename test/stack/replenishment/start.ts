/** Starts a replenishment without the API, as the relay does, with a test's own settings. */
import { randomUUID } from 'node:crypto';
import type { ReplenishmentInput } from '../../../workflows/replenishment/contract.js';
import { replenishmentWorkflowId } from '../../../workflows/replenishment/contract.js';
import { taskQueue } from '../../../workflows/shared/contract.js';
import { temporal } from '../../temporal.js';

/** Starts it, or finds it running. Resolves with its id once that is durable. */
export async function startReplenishment(
  sku: string,
  settings: Partial<ReplenishmentInput> & Pick<ReplenishmentInput, 'cause'>,
): Promise<string> {
  const input: ReplenishmentInput = {
    replenishmentId: `rpl_${randomUUID().replaceAll('-', '')}`,
    sku,
    location: 'main',
    deliveryCheckSeconds: 0.3,
    deliveryMaxDays: 60,
    retry: { retryBaseScale: 0.001, gatewayTimeoutSeconds: 1 },
    caller: { actor: 'test', traceparent: '', requestId: null },
    ...settings,
  };
  await (await temporal()).workflow.start('replenishment', {
    workflowId: replenishmentWorkflowId(sku, 'main'),
    taskQueue,
    args: [input],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
  });
  return input.replenishmentId;
}
