/**
 * Starts the workflows that committed changes have queued in the outbox. Any number of relays may run, and each may be
 * killed anywhere: a relay claims rows before it starts their workflow, and starting a workflow twice starts it once.
 */

import { markDelivered, outboxChannel, replenishWakeUp } from '../../db/outbox/outbox.js';
import type { Connection } from '../../db/postgres/client.js';
import { Coalescer } from '../../db/postgres/coalescer.js';
import type { RelayTools } from './dispatch.js';
import { relayBatches } from './relay-batches.js';
import { type DeliveryTimes, LevelRelay } from './relay-levels.js';
import { startLoop } from './relay-loop.js';

/** The shortest time between two batches of mails and notices in one worker: a workflow for each would cost too much. */
const batchGapMs = 2000;
/** The longest time between two looks without a notification, which may be lost. */
const maxPollMs = 5000;

export interface Relay {
  /** Stops after the deliveries in flight. */
  stop(): Promise<void>;
}

export interface RelayOptions extends Omit<RelayTools, 'sql' | 'markDelivered'> {
  readonly connection: Connection;
  readonly times: DeliveryTimes;
}

export async function startRelay({ connection, times, ...others }: RelayOptions): Promise<Relay> {
  const { sql } = connection;
  const marks = new Coalescer<readonly number[], 'marked'>(async (rowIds) => {
    await markDelivered(sql, rowIds.flat());
    return rowIds.map(() => 'marked');
  });
  const mark = async (rowIds: readonly number[]) => void (await marks.submit(rowIds));
  const tools: RelayTools = { ...others, sql, markDelivered: mark };
  // Notifications may be lost, and none says that a claim has run out.
  const pollMs = Math.min(maxPollMs, tools.claimSeconds * 500);
  const onError = (error: unknown) => tools.log.warn({ err: error }, 'outbox relay failed and will retry');
  const batches = startLoop({ look: () => relayBatches(tools), pollMs, minGapMs: batchGapMs, onError });
  const levelRelay = new LevelRelay(tools, times, { wake: () => levels.wake(), onError });
  const levels = startLoop({ look: () => levelRelay.look(), pollMs, minGapMs: 0, onError });
  const onNotification = (what: string) => (what === replenishWakeUp ? levels : batches).wake();
  const onListening = () => {
    // Notifications sent before this, or while the connection was lost, did not arrive.
    batches.wake();
    levels.wake();
  };
  const stop = async () => {
    await Promise.all([batches.stop(), levels.stop().then(() => levelRelay.ended())]);
  };
  try {
    await sql.listen(outboxChannel, onNotification, onListening);
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
}
