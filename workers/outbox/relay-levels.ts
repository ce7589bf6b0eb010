/** Levels that are low: each becomes a replenishment, in order per SKU. */
import { randomUUID } from 'node:crypto';
import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { claimSkus, type ReplenishRow } from '../../db/outbox/outbox.js';
import {
  type ReplenishmentInput,
  replenishmentSignals,
  replenishmentWorkflowId,
} from '../../workflows/replenishment/contract.js';
import { taskQueue, workflowTaskTimeoutMs } from '../../workflows/shared/contract.js';
import { deliver, type RelayTools, refuseDelivery, startTimeoutMs } from './dispatch.js';

export interface DeliveryTimes {
  readonly deliveryCheckSeconds: number;
  readonly deliveryMaxDays: number;
}

/** Starts that may be under way at once. */
const maxUnderWay = 32;
/** Longer than an attempt can take; a relay that was killed holds up its SKUs for no longer. */
const leaseSeconds = (2 * startTimeoutMs) / 1000;

/** What the relay tells the loop that has it look. */
export interface LevelLoop {
  /** There may be something to claim again. */
  readonly wake: () => void;
  readonly onError: (error: unknown) => void;
}

/**
 * Starts the replenishments of SKUs that wait. A look claims what there is room for and does not wait for its starts: a
 * level that becomes low meanwhile is claimed at once, however slow Temporal is with those before it.
 */
export class LevelRelay {
  readonly #underWay = new Set<Promise<void>>();

  constructor(
    private readonly tools: RelayTools,
    private readonly times: DeliveryTimes,
    private readonly loop: LevelLoop,
  ) {}

  /** One look. Always null: whatever there is to be done again later wakes the loop. */
  async look(): Promise<null> {
    const limit = maxUnderWay - this.#underWay.size;
    if (limit === 0) return null;
    for (const row of await claimSkus(this.tools.sql, { limit, leaseSeconds })) {
      const start = this.#start(row).finally(() => this.#underWay.delete(start));
      this.#underWay.add(start);
    }
    return null;
  }

  /** When nothing is under way any more. */
  async ended(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  /** Never rejects: what became of a row that could not be written down shows when its claim has run out. */
  async #start(row: ReplenishRow): Promise<void> {
    try {
      // Behind a row that was delivered another of its SKU may wait.
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
      begin: (client) => begin(client, input),
    });
  }
}

/**
 * Mostly none runs, and then a plain start is what costs the server least: it hands the first task to this process with
 * its answer. One that runs already is as good as another: it reads the level, and once more before it ends if it is told.
 */
async function begin(client: Client, input: ReplenishmentInput): Promise<void> {
  const options = {
    workflowId: replenishmentWorkflowId(input.sku, input.location),
    taskQueue,
    workflowTaskTimeout: workflowTaskTimeoutMs,
    args: [input],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
  } as const;
  try {
    await client.workflow.start('replenishment', { ...options, requestEagerStart: true });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    // It may end before it hears of this: then another is started.
    await client.workflow.signalWithStart('replenishment', {
      ...options,
      signal: replenishmentSignals.low,
      signalArgs: [],
    });
  }
}
