/** What time makes due and nobody has done: expired holds, orders whose timer was lost, requests past their keeping. */
import { randomUUID } from 'node:crypto';
import { heartbeat, log } from '@temporalio/activity';
import { deleteOldKeys } from '../db/access/idempotency.js';
import { overdueOrderIds } from '../db/orders/queries.js';
import type { OrderStore } from '../db/orders/store.js';
import type { Connection } from '../db/postgres/client.js';
import { lastingReason } from '../db/postgres/lasting-errors.js';
import { openReviewsOnce } from '../db/reviews/reviews.js';
import type { Ledger } from '../db/stock/ledger.js';
import { queueMissedLevels } from '../db/stock/low-levels.js';
import { expireOverdue, maxStuck, type StuckRow } from '../db/stock/reservations.js';
import { presentable } from '../gateways/http/fault.js';

const batchSize = 200;
const deletionBatch = 5000;
/** What failed less than this ago is in somebody's hands: it is not asked for again and again. */
const coolOffSeconds = 3600;

/** Reports progress while a single statement takes its time; shorter than the heartbeat's time-out by far. */
async function beating<T>(act: () => Promise<T>): Promise<T> {
  const timer = setInterval(heartbeat, 5000);
  try {
    return await act();
  } finally {
    clearInterval(timer);
  }
}

/** Resumes sagas whose workflow ended before their business was done; tells its progress. Returns how many. */
export type ResumeLostSagas = (onProgress: () => void) => Promise<number>;

export function sweepActivities(connection: Connection, ledger: Ledger, store: OrderStore, resume: ResumeLostSagas) {
  /** One case for each that cannot be ended, until it is closed; it does not keep the sweep from the others. */
  async function putBeforePerson(what: 'order' | 'reservation', stuck: readonly StuckRow[]): Promise<void> {
    const cases = stuck.map(({ id, reason }) => ({
      id: `rev_${randomUUID().replaceAll('-', '')}`,
      kind: 'sweep_failed' as const,
      subject: `${what}/${id}`,
      detail: { step: 'expire', [`${what}Id`]: id },
      attempts: 1,
      lastError: presentable(reason),
      workflowId: null,
    }));
    await openReviewsOnce(connection.sql, cases);
  }

  return {
    /** Gives back every direct reservation that is past its time, in batches. Returns how many. */
    async expireReservations(): Promise<number> {
      return expireOverdue(connection.db, ledger, 'sweep', {
        onProgress: heartbeat,
        onStuck: (stuck) => putBeforePerson('reservation', stuck),
      });
    },

    /** Ends the orders that are past their time and whose workflow has not done it. Returns how many. */
    async expireOrders(): Promise<number> {
      let expired = 0;
      const passedOver: string[] = [];
      for (;;) {
        const orders = await overdueOrderIds(connection.db, batchSize, passedOver);
        if (orders.length === 0 || passedOver.length >= maxStuck) return expired;
        const results = await Promise.allSettled(
          orders.map(({ id, expiresAt }) =>
            store.apply({
              step: 'expire',
              key: `order/${id}/expire/sweep/${expiresAt}`,
              orderId: id,
              actor: 'sweep',
              traceId: '',
            }),
          ),
        );
        const stuck: StuckRow[] = [];
        for (const [index, { id: orderId }] of orders.entries()) {
          const result = results[index];
          if (result?.status === 'rejected') stuck.push({ id: orderId, reason: lastingReason(result.reason) });
          else
            for (const { from, to } of result?.value.transitions ?? [])
              log.info('order moved', { orderId, from, to, actor: 'sweep' });
        }
        await putBeforePerson('order', stuck);
        passedOver.push(...stuck.map(({ id }) => id));
        expired += orders.length - stuck.length;
        heartbeat(expired);
      }
    },

    /** Has the relays see to levels that are low and that nothing is being done about. Returns how many. */
    requestMissedReplenishments: () => beating(() => queueMissedLevels(connection.slowSql, coolOffSeconds)),

    /** Resumes orders, payments and transfers whose workflow was terminated or failed. Returns how many. */
    resumeLostSagas: () => resume(heartbeat),

    /** Forgets answers to requests that are past their keeping. Returns how many. */
    async pruneRequests(): Promise<number> {
      let deleted = 0;
      for (;;) {
        const some = await beating(() => deleteOldKeys(connection.slowSql, deletionBatch));
        deleted += some;
        if (some < deletionBatch) return deleted;
        heartbeat(deleted);
      }
    },
  };
}

export type SweepActivities = ReturnType<typeof sweepActivities>;
