/** What time makes due and nobody has done: expired holds, orders whose timer was lost, requests past their keeping. */
import { heartbeat, log } from '@temporalio/activity';
import type { Connection } from '../db/client.js';
import { deleteOldKeys } from '../db/idempotency.js';
import type { Ledger } from '../db/ledger.js';
import { queueMissedLevels } from '../db/low-levels.js';
import type { OrderDoor } from '../db/order-door.js';
import { overdueOrderIds } from '../db/orders.js';
import { expireOverdue } from '../db/reservations.js';

const batchSize = 200;
const deletionBatch = 5000;
/** What failed less than this ago is in somebody's hands: it is not asked for again and again. */
const coolOffSeconds = 3600;

export function sweepActivities(connection: Connection, ledger: Ledger, door: OrderDoor) {
  return {
    /** Gives back every direct reservation that is past its time, in batches. Returns how many. */
    async expireReservations(): Promise<number> {
      return expireOverdue(connection.db, ledger, 'sweep', heartbeat);
    },

    /** Ends the orders that are past their time and whose workflow has not done it. Returns how many. */
    async expireOrders(): Promise<number> {
      let expired = 0;
      for (;;) {
        const orders = await overdueOrderIds(connection.db, batchSize);
        if (orders.length === 0) return expired;
        const results = await Promise.all(
          orders.map(({ id, expiresAt }) =>
            door.apply({
              step: 'expire',
              key: `order/${id}/expire/sweep/${expiresAt}`,
              orderId: id,
              actor: 'sweep',
              traceId: '',
            }),
          ),
        );
        for (const [index, order] of orders.entries())
          for (const { from, to } of results[index]?.transitions ?? [])
            log.info('order moved', { orderId: order.id, from, to, actor: 'sweep' });
        expired += orders.length;
        heartbeat(expired);
      }
    },

    /** Has the relays see to levels that are low and that nothing is being done about. Returns how many. */
    requestMissedReplenishments: () => queueMissedLevels(connection.slowSql, coolOffSeconds),

    /** Forgets answers to requests that are past their keeping. Returns how many. */
    async pruneRequests(): Promise<number> {
      let deleted = 0;
      for (;;) {
        const some = await deleteOldKeys(connection.slowSql, deletionBatch);
        deleted += some;
        if (some < deletionBatch) return deleted;
        heartbeat(deleted);
      }
    },
  };
}

export type SweepActivities = ReturnType<typeof sweepActivities>;
