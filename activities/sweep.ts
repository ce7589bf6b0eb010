/** Overdue work that no workflow has done: expired holds, orders whose timer was lost, old requests, lost sagas. */
import { randomUUID } from 'node:crypto';
import { heartbeat, log } from '@temporalio/activity';
import { deleteOldKeys } from '../db/access/idempotency.js';
import { deleteOldRecords } from '../db/access/retention.js';
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
/** A replenishment that failed less than this ago is not requested again: its review is open. */
const coolOffSeconds = 3600;

/** Sends heartbeats during a long statement, far more often than the heartbeat's time-out. */
async function withHeartbeat<T>(act: () => Promise<T>): Promise<T> {
  const timer = setInterval(heartbeat, 5000);
  try {
    return await act();
  } finally {
    clearInterval(timer);
  }
}

/** Resumes sagas whose workflow ended before their business was done. Returns how many. */
export type ResumeLostSagas = (onProgress: () => void) => Promise<number>;

export function sweepActivities(connection: Connection, ledger: Ledger, store: OrderStore, resume: ResumeLostSagas) {
  /** Opens a review for each row that cannot be expired, unless one is open, so that the sweep can continue with the others. */
  async function openReviews(what: 'order' | 'reservation', stuck: readonly StuckRow[]): Promise<void> {
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
    /** Expires every overdue direct reservation, in batches. Returns how many. */
    async expireReservations(): Promise<number> {
      return expireOverdue(connection.db, ledger, 'sweep', {
        onProgress: heartbeat,
        onStuck: (stuck) => openReviews('reservation', stuck),
      });
    },

    /** Expires overdue orders that their workflow has not expired. Returns how many. */
    async expireOrders(): Promise<number> {
      let expired = 0;
      const skipped: string[] = [];
      for (;;) {
        const orders = await overdueOrderIds(connection.db, batchSize, skipped);
        if (orders.length === 0 || skipped.length >= maxStuck) return expired;
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
        await openReviews('order', stuck);
        skipped.push(...stuck.map(({ id }) => id));
        expired += orders.length - stuck.length;
        heartbeat(expired);
      }
    },

    /** Queues low levels without a running replenishment for the relays. Returns how many. */
    requestMissedReplenishments: () => withHeartbeat(() => queueMissedLevels(connection.slowSql, coolOffSeconds)),

    /** Resumes orders, payments and transfers whose workflow was terminated or failed. Returns how many. */
    resumeLostSagas: () => resume(heartbeat),

    /** Deletes stored answers to requests whose retention has ended, and other records that are kept for a time. Returns how many answers. */
    async pruneRequests(): Promise<number> {
      while (await withHeartbeat(() => deleteOldRecords(connection.slowSql, deletionBatch))) heartbeat();
      let deleted = 0;
      for (;;) {
        const some = await withHeartbeat(() => deleteOldKeys(connection.slowSql, deletionBatch));
        deleted += some;
        if (some < deletionBatch) return deleted;
        heartbeat(deleted);
      }
    },
  };
}

export type SweepActivities = ReturnType<typeof sweepActivities>;
