/** Reads replenishments: from Postgres or, before they are planned, from the request. */
import { getReplenishment, getRequest, getRunning, type KeptRequest } from '../../db/supply/replenishments.js';
import { type ReplenishmentAnswer, replenishmentWorkflowId } from '../../workflows/replenishment/contract.js';
import type { ApiDeps } from '../deps.js';
import type { Found } from '../temporal/saga-resource.js';
import type { Replenishment } from './schemas.js';
import { viewReplenishment } from './view.js';

/** Temporal returns a past answer at once; how long to wait in case there is none yet. */
const answerWithinMs = 1000;

/** Reads a replenishment. `unknown`: Postgres has none and Temporal could not be reached. */
export async function readReplenishment(id: string, { connection, sagas }: ApiDeps): Promise<Found<Replenishment>> {
  const { db } = connection;
  const stored = await getReplenishment(db, id);
  if (stored) return { kind: 'found', view: viewReplenishment(stored) };
  const request = await getRequest(db, id);
  if (!request) return { kind: 'absent' };
  const { sku, location, updateId } = request;
  const workflowId = replenishmentWorkflowId(sku, location);

  const presence = await sagas.presence(workflowId);
  const running = await getRunning(db, sku, location);
  if (!running && presence === 'unknown') return { kind: 'unknown' };
  // The workflow may have planned or refused the request, or joined it to the replenishment that was running.
  const answer = await sagas.pastAnswer<ReplenishmentAnswer>(workflowId, updateId, answerWithinMs);
  if (answer?.kind === 'refused') return { kind: 'absent' };
  const found = (await getReplenishment(db, answer?.replenishmentId ?? id)) ?? running;
  if (found) return { kind: 'found', view: viewReplenishment(found) };
  return presence === 'running' ? { kind: 'found', view: pendingReplenishment(request) } : { kind: 'absent' };
}

/** The replenishment as a worker will first write it. Nothing is ordered yet. */
export function pendingReplenishment({ id, sku, location, createdAt }: KeptRequest): Replenishment {
  const undecided = { quantity: null, purchaseOrderId: null, failure: null };
  return { id, sku, location, status: 'running', ...undecided, createdAt, updatedAt: createdAt };
}
