/**
 * Turns what follows from committed changes into workflows. Any number of relays may run, and each may be killed anywhere:
 * what it was at is claimed in the database before a workflow is started, and a workflow that is started twice is one.
 */

import { markDelivered, outboxChannel, replenishWakeUp } from '../../db/outbox/outbox.js';
import type { Connection } from '../../db/postgres/client.js';
import { Coalescer } from '../../db/postgres/coalescer.js';
import type { RelayTools } from './dispatch.js';
import { relayBatches } from './relay-batches.js';
import { type DeliveryTimes, LevelRelay } from './relay-levels.js';
import { startLoop } from './relay-loop.js';

/**
 * Mails and notices become one workflow at most so often in each worker. One that comes alone goes at once; where many
 * come they can wait, and a workflow is not free.
 */
const batchesApartMs = 2000;
/** Without a word from Postgres the relay looks by itself: a notification may be lost, a row is not. */
const pollMs = 5000;

export interface Relay {
  /** Ends after what is under way. */
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
  const onError = (error: unknown) => tools.log.warn({ err: error }, 'outbox relay failed; it tries again');
  const batches = startLoop({ look: () => relayBatches(tools), pollMs, apartMs: batchesApartMs, onError });
  const levelRelay = new LevelRelay(tools, times, { wake: () => levels.wake(), onError });
  const levels = startLoop({ look: () => levelRelay.look(), pollMs, apartMs: 0, onError });
  const onNotification = (what: string) => (what === replenishWakeUp ? levels : batches).wake();
  const onListening = () => {
    // What was said before, or while the connection was lost, nobody heard.
    batches.wake();
    levels.wake();
  };
  await sql.listen(outboxChannel, onNotification, onListening);
  return {
    async stop() {
      await Promise.all([batches.stop(), levels.stop().then(() => levelRelay.ended())]);
    },
  };
}
