/** POST /api/transfers: starts `transfer/<id>` and answers when the goods have arrived, or are on their way. */
import type { z } from 'zod';
import { findLocations, findProducts } from '../../db/catalogue/queries.js';
import type { Database } from '../../db/postgres/client.js';
import { getTransfer, type TransferView } from '../../db/transfers/queries.js';
import { isRefusalCode, refusal } from '../../domain/errors.js';
import { detailOf } from '../../domain/refusals.js';
import { type TransferAnswer, type TransferInput, transferWorkflowId } from '../../workflows/transfer/contract.js';
import type { ApiDeps } from '../deps.js';
import { childId } from '../http/ids.js';
import { now } from '../http/instants.js';
import { answer, type Refused, type Reply, refuseFields, refuseWith, unavailable } from '../http/reply.js';
import type { CallContext } from '../http/route.js';
import { paceOf } from '../payments/routes.js';
import { pendingTransfer } from './read.js';
import type { newTransfer } from './schemas.js';

type NewTransfer = z.output<typeof newTransfer>;

export async function openTransfer(body: NewTransfer, call: CallContext, deps: ApiDeps): Promise<Reply> {
  const { db } = deps.connection;
  const transferId = call.ids.resource;
  const workflowId = transferWorkflowId(transferId);
  call.note({ transferId, workflowId });

  // A saga that an earlier try has started goes on whatever has become of the catalogue since.
  const begun = call.resumed && (await alreadyBegun(transferId, deps));
  const refused = begun ? null : await checkTransfer(db, body);
  if (refused) return refused;

  const input: TransferInput = {
    transferId,
    ...body,
    reservationId: childId('rsv', transferId, 0),
    pace: paceOf(deps.settings),
    caller: call.caller,
    requestedAt: now(),
  };
  const outcome = await deps.sagas.startTransfer(input, { updateId: call.ids.update, waitMs: call.waitMs });
  if (outcome.kind === 'unavailable') return unavailable('Temporal');
  if (outcome.kind === 'refused') return refuseWith(outcome.refusal, { transferId });
  if (outcome.kind === 'answered' && outcome.answer.kind === 'refused') return refuseWith(outcome.answer.refusal);

  const headers = { Location: `/api/transfers/${transferId}` };
  const stored = await getTransfer(db, transferId);
  if (outcome.kind === 'late') return answer(202, stored ?? pendingTransfer(input), headers);
  if (outcome.kind === 'answered') return stored ? answer(201, stored, headers) : unavailable('Postgres');
  const past = await deps.sagas.pastAnswer<TransferAnswer>(workflowId, call.ids.update);
  return past?.kind === 'refused' ? refuseWith(past.refusal) : endedReply(stored, headers);
}

/** What is wrong with a transfer before it is one. The saga's first step decides again. */
async function checkTransfer(db: Database, { sku, from, to }: NewTransfer): Promise<Refused | null> {
  if (from === to)
    return refuseFields('same_location', [
      { pointer: '/to', code: 'same_location', detail: detailOf('same_location', { location: from }) },
    ]);
  const [products, locations] = await Promise.all([findProducts(db, [sku]), findLocations(db, [from, to])]);
  if (products.length === 0)
    return refuseFields('unknown_sku', [
      { pointer: '/sku', code: 'unknown_sku', detail: detailOf('unknown_sku', { sku }) },
    ]);
  const known = new Set(locations.map((location) => location.code));
  const nowhere = Object.entries({ from, to }).filter(([, code]) => !known.has(code));
  if (nowhere.length === 0) return null;
  return refuseFields(
    'unknown_location',
    nowhere.map(([end, code]) => ({
      pointer: `/${end}`,
      code: 'unknown_location',
      detail: detailOf('unknown_location', { location: code }),
    })),
  );
}

async function alreadyBegun(transferId: string, { connection, sagas }: ApiDeps): Promise<boolean> {
  if (await getTransfer(connection.db, transferId)) return true;
  const presence = await sagas.presence(transferWorkflowId(transferId));
  return presence === 'running' || presence === 'ended';
}

/** The answer for a transfer whose saga is over and does not remember what it said. */
function endedReply(stored: TransferView | null, headers: Record<string, string>): Reply {
  if (!stored) return unavailable('the transfer');
  if (stored.failure && isRefusalCode(stored.failure.code))
    return refuseWith(refusal(stored.failure.code, stored.failure.detail), { transferId: stored.id });
  return answer(201, stored, headers);
}
