/** Levels that are low: each becomes a replenishment, in order per SKU. */
import { randomUUID } from 'node:crypto';
import { claimSkus } from '../db/outbox.js';
import {
  type ReplenishmentInput,
  replenishmentSignals,
  replenishmentWorkflowId,
  taskQueue,
  workflowTaskTimeoutMs,
} from '../workflows/contract.js';
import { deliver, type RelayTools, refuseDelivery, startTimeoutMs } from './delivery.js';
import { soonest } from './relay-batches.js';

export interface DeliveryTimes {
  readonly deliveryCheckSeconds: number;
  readonly deliveryMaxDays: number;
}

const maxSkus = 50;
/** Longer than an attempt can take; a relay that was killed holds up its SKUs for no longer. */
const leaseSeconds = (2 * startTimeoutMs) / 1000;

/** Starts the replenishments of all SKUs that wait. Returns as `relayBatches` does. */
export async function relayLevels(tools: RelayTools, times: DeliveryTimes): Promise<number | null> {
  const rows = await claimSkus(tools.sql, { limit: maxSkus, leaseSeconds });
  const waits = await Promise.all(
    rows.map(({ id, sku, location }) => {
      if (sku === null || location === null) return refuseDelivery(tools, [id], 'the row names no SKU and location');
      const input: ReplenishmentInput = {
        replenishmentId: `rpl_${randomUUID().replaceAll('-', '')}`,
        sku,
        location,
        cause: 'level',
        ...times,
        pace: tools.pace,
        caller: { actor: 'relay', traceparent: '', requestId: null },
      };
      return deliver(tools, {
        rowIds: [id],
        about: `${sku}/${location}`,
        // One that runs already is as good as another: it reads the level, and once more before it ends if it is told.
        begin: (client) =>
          client.workflow.signalWithStart('replenishment', {
            workflowId: replenishmentWorkflowId(sku, location),
            taskQueue,
            workflowTaskTimeout: workflowTaskTimeoutMs,
            args: [input],
            signal: replenishmentSignals.low,
            signalArgs: [],
            workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          }),
      });
    }),
  );
  // Behind each row that was delivered another of its SKU may wait.
  return waits.some((wait) => wait === null) ? 0 : soonest(waits);
}
