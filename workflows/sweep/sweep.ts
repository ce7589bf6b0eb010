/** The sweep, run by a schedule: overdue work that no workflow has done. */
import { patched } from '@temporalio/workflow';
import { sweeping } from '../shared/proxies.js';

interface Swept {
  readonly reservations: number;
  readonly orders: number;
  readonly requests: number;
  readonly replenishments: number;
  readonly sagas: number;
}

export async function sweep(): Promise<Swept> {
  // A sweep started before replenishments existed must be able to end: the schedule waits for it.
  const supplied = patched('missed-replenishments');
  const resuming = patched('lost-sagas');
  const [reservations, orders, requests, replenishments, sagas] = await Promise.all([
    sweeping.expireReservations(),
    sweeping.expireOrders(),
    sweeping.pruneRequests(),
    supplied ? sweeping.requestMissedReplenishments() : 0,
    resuming ? sweeping.resumeLostSagas() : 0,
  ]);
  return { reservations, orders, requests, replenishments, sagas };
}
