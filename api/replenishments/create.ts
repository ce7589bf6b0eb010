/** POST /api/replenishments: starts `replenishment/<sku>/<location>`, or joins it, and answers with its plan. */
import type { z } from 'zod';
import { findLocations, findProducts } from '../../db/catalogue/queries.js';
import type { Database } from '../../db/postgres/client.js';
import { getReplenishment, getRunning, keepRequest } from '../../db/supply/replenishments.js';
import {
  type ReplenishmentAnswer,
  type ReplenishmentInput,
  replenishmentWorkflowId,
} from '../../workflows/replenishment/contract.js';
import type { ApiDeps } from '../deps.js';
import {
  type Answer,
  answer,
  fieldRefused,
  type Refused,
  type Reply,
  refuseFields,
  refuseWith,
  unavailable,
} from '../http/reply.js';
import type { CallContext } from '../http/route.js';
import { retrySettings } from '../temporal/retry-settings.js';
import type { Outcome } from '../temporal/saga-client.js';
import { pendingReplenishment } from './read.js';
import type { newReplenishment, Replenishment } from './schemas.js';
import { viewReplenishment } from './view.js';

type NewReplenishment = z.output<typeof newReplenishment>;
type Accepted = Reply<Answer<202, Replenishment>>;

/** Planning takes a moment, so even a client that does not want to wait waits this long. */
const leastWaitMs = 1000;
/** The workflow may end just as the update reaches it; it is then started again. */
const maxTries = 3;

export async function openReplenishment(body: NewReplenishment, call: CallContext, deps: ApiDeps): Promise<Accepted> {
  const { db } = deps.connection;
  const { sku, location } = body;
  const replenishmentId = call.ids.resource;
  call.note({ sku, location, workflowId: replenishmentWorkflowId(sku, location) });
  const known = call.resumed ? await getReplenishment(db, replenishmentId) : null;
  if (known) return accepted(viewReplenishment(known));
  const refused = await checkPlace(db, body);
  if (refused) return refused;

  const { deliveryCheckSeconds, deliveryMaxDays } = deps.settings;
  const input: ReplenishmentInput = {
    replenishmentId,
    sku,
    location,
    cause: 'request',
    deliveryCheckSeconds,
    deliveryMaxDays,
    retry: retrySettings(deps.settings),
    caller: call.caller,
  };
  const updateCall = { updateId: call.ids.update, waitMs: Math.max(call.waitMs, leastWaitMs) };
  let outcome: Outcome<ReplenishmentAnswer> = { kind: 'ended' };
  for (let tries = 0; tries < maxTries && outcome.kind === 'ended'; tries++)
    outcome = await deps.sagas.startReplenishment(input, updateCall);
  if (outcome.kind === 'refused') return refuseWith(outcome.refusal);
  if (outcome.kind === 'ended' || outcome.kind === 'unavailable') return unavailable('Temporal');
  if (outcome.kind === 'late') {
    const running = await getRunning(db, sku, location);
    if (running) return accepted(viewReplenishment(running));
    const request = { id: replenishmentId, sku, location, updateId: call.ids.update };
    return accepted(pendingReplenishment(await keepRequest(db, request)));
  }
  if (outcome.answer.kind === 'refused') return refuseWith(outcome.answer.refusal);
  const stored = await getReplenishment(db, outcome.answer.replenishmentId);
  return stored ? accepted(viewReplenishment(stored)) : unavailable('Postgres');
}

function accepted(replenishment: Replenishment): Accepted {
  return answer(202, replenishment, { Location: `/api/replenishments/${replenishment.id}` });
}

/** Refuses an unknown product or location. The saga's first step checks again. */
async function checkPlace(db: Database, { sku, location }: NewReplenishment): Promise<Refused | null> {
  const [products, locations] = await Promise.all([findProducts(db, [sku]), findLocations(db, [location])]);
  if (products.length === 0) return refuseFields('unknown_sku', [fieldRefused('/sku', 'unknown_sku', { sku })]);
  if (locations.length > 0) return null;
  return refuseFields('unknown_location', [fieldRefused('/location', 'unknown_location', { location })]);
}
