/** POST /api/transfers: starts `transfer/<id>` and answers once the goods have arrived or are on their way. */
import type { z } from 'zod';
import { findLocations, findProducts } from '../../db/catalogue/queries.js';
import type { Database } from '../../db/postgres/client.js';
import { type TransferInput, transferWorkflowId } from '../../workflows/transfer/contract.js';
import type { ApiDeps } from '../deps.js';
import { childId } from '../http/ids.js';
import { now } from '../http/instants.js';
import { type Answer, fieldRefused, type Refused, type Reply, refuseFields } from '../http/reply.js';
import type { CallContext } from '../http/route.js';
import { retrySettings } from '../temporal/retry-settings.js';
import { hasBegun, startSaga } from '../temporal/saga-resource.js';
import { transfers } from './read.js';
import type { newTransfer, Transfer } from './schemas.js';

type NewTransfer = z.output<typeof newTransfer>;
type Opened = Reply<Answer<201 | 202, Transfer>>;

export async function openTransfer(body: NewTransfer, call: CallContext, deps: ApiDeps): Promise<Opened> {
  const { db } = deps.connection;
  const transferId = call.ids.resource;
  call.note({ transferId, workflowId: transferWorkflowId(transferId) });

  // A transfer that an earlier call has begun is not checked against today's catalogue.
  const refused = (await hasBegun(transfers, transferId, call, deps)) ? null : await checkTransfer(db, body);
  if (refused) return refused;

  const input: TransferInput = {
    transferId,
    ...body,
    reservationId: childId('rsv', transferId, 0),
    retry: retrySettings(deps.settings),
    caller: call.caller,
    requestedAt: now(),
  };
  return await startSaga(transfers, input, (updateCall) => deps.sagas.startTransfer(input, updateCall), call, deps);
}

/** Refuses a transfer that cannot start. The saga's first step checks again. */
async function checkTransfer(db: Database, { sku, from, to }: NewTransfer): Promise<Refused | null> {
  if (from === to) return refuseFields('same_location', [fieldRefused('/to', 'same_location', { location: from })]);
  const [products, locations] = await Promise.all([findProducts(db, [sku]), findLocations(db, [from, to])]);
  if (products.length === 0) return refuseFields('unknown_sku', [fieldRefused('/sku', 'unknown_sku', { sku })]);
  const known = new Set(locations.map((location) => location.code));
  const unknown = Object.entries({ from, to }).filter(([, code]) => !known.has(code));
  if (unknown.length === 0) return null;
  return refuseFields(
    'unknown_location',
    unknown.map(([end, location]) => fieldRefused(`/${end}`, 'unknown_location', { location })),
  );
}
