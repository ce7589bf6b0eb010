/** Levels that are low: each becomes a replenishment, in order per SKU. */
import { randomUUID } from 'node:crypto';
import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { claimSkus, type ReplenishRow } from '../../db/outbox/outbox.js';
import {
  type ReplenishmentInput,
  replenishmentSignals,
  replenishmentWorkflowId,
} from '../../workflows/replenishment/contract.js';
import { taskQueue } from '../../workflows/shared/contract.js';
import { deliver, type RelayTools, refuseDelivery } from './dispatch.js';

export interface DeliveryTimes {
  readonly deliveryCheckSeconds: number;
  readonly deliveryMaxDays: number;
}

/** Starts in flight at once. */
const maxInFlight = 32;

/** The loop that runs the relay. */
export interface LevelLoop {
  /** There may be something to claim again. */
  readonly wake: () => void;
  readonly onError: (error: unknown) => void;
}

/**
 * Starts the replenishments of waiting SKUs. A look claims as many as there is room for and does not wait for their starts:
 * slow starts do not delay levels that become low meanwhile.
 */
export class LevelRelay {
  readonly #inFlight = new Set<Promise<void>>();

  constructor(
    private readonly tools: RelayTools,
    private readonly times: DeliveryTimes,
    private readonly loop: LevelLoop,
  ) {}

  /** One look. Always null: each start wakes the loop when it ends. */
  async look(): Promise<null> {
    const limit = maxInFlight - this.#inFlight.size;
    if (limit === 0) return null;
    const { sql, claimSeconds: leaseSeconds } = this.tools;
    for (const row of await claimSkus(sql, { limit, leaseSeconds })) {
      const start = this.#start(row).finally(() => this.#inFlight.delete(start));
      this.#inFlight.add(start);
    }
    return null;
  }

  /** Resolves when no start is in flight. */
  async ended(): Promise<void> {
    await Promise.all(this.#inFlight);
  }

  /** Never rejects. A row whose outcome could not be recorded is claimed again when its lease has run out. */
  async #start(row: ReplenishRow): Promise<void> {
    try {
      // Another row of the same SKU may be waiting behind this one.
      const waitMs = (await this.#deliver(row)) ?? 0;
      setTimeout(this.loop.wake, waitMs).unref();
    } catch (error) {
      this.loop.onError(error);
    }
  }

  #deliver({ id, sku, location }: ReplenishRow): Promise<number | null> {
    if (sku === null || location === null) return refuseDelivery(this.tools, [id], 'the row names no SKU and location');
    const input: ReplenishmentInput = {
      replenishmentId: `rpl_${randomUUID().replaceAll('-', '')}`,
      sku,
      location,
      cause: 'level',
      ...this.times,
      retry: this.tools.retry,
      caller: { actor: 'relay', traceparent: '', requestId: null },
    };
    return deliver(this.tools, {
      rowIds: [id],
      about: `${sku}/${location}`,
      start: (client) => startOrSignal(client, input, this.tools.workflowTaskTimeoutSeconds * 1000),
    });
  }
}

/**
 * Starts a replenishment, or asks the running one to read the level once more before it ends. Usually none is running: a
 * plain start then costs the server least, since its answer hands this process the first task.
 */
async function startOrSignal(client: Client, input: ReplenishmentInput, workflowTaskTimeout: number): Promise<void> {
  const options = {
    workflowId: replenishmentWorkflowId(input.sku, input.location),
    taskQueue,
    workflowTaskTimeout,
    args: [input],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
  } as const;
  try {
    await client.workflow.start('replenishment', { ...options, requestEagerStart: true });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    // The running workflow may end before the signal reaches it: this call then starts another.
    await client.workflow.signalWithStart('replenishment', {
      ...options,
      signal: replenishmentSignals.low,
      signalArgs: [],
    });
  }
}
