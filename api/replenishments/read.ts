/** A replenishment as it stands: from Postgres, or, before it is planned, from what was asked for. */
import { getReplenishment, getRequest, getRunning, type KeptRequest } from '../../db/supply/replenishments.js';
import { type ReplenishmentAnswer, replenishmentWorkflowId } from '../../workflows/replenishment/contract.js';
import type { ApiDeps } from '../deps.js';
import type { Found } from '../temporal/saga-resource.js';
import type { Replenishment } from './schemas.js';
import { viewReplenishment } from './view.js';

/** An answer that was given comes at once; one that was not is waited for, for so long. */
const toldWithinMs = 1000;

/** Reads a replenishment. `unknown`: Postgres has none and Temporal could not be asked. */
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
  // It may have been planned or refused, or have met one that was planned before: what was it told?
  const told = await sagas.pastAnswer<ReplenishmentAnswer>(workflowId, updateId, toldWithinMs);
  if (told?.kind === 'refused') return { kind: 'absent' };
  const meant = (await getReplenishment(db, told?.replenishmentId ?? id)) ?? running;
  if (meant) return { kind: 'found', view: viewReplenishment(meant) };
  return presence === 'running' ? { kind: 'found', view: pendingReplenishment(request) } : { kind: 'absent' };
}

/** The replenishment that a worker will write down when it plans. Nothing is ordered yet. */
export function pendingReplenishment({ id, sku, location, createdAt }: KeptRequest): Replenishment {
  const undecided = { quantity: null, purchaseOrderId: null, failure: null };
  return { id, sku, location, status: 'running', ...undecided, createdAt, updatedAt: createdAt };
}
