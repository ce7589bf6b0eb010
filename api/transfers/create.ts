/** POST /api/transfers: starts `transfer/<id>` and answers when the goods have arrived, or are on their way. */
import type { z } from 'zod';
import { findLocations, findProducts } from '../../db/catalogue/queries.js';
import type { Database } from '../../db/postgres/client.js';
import { getTransfer, type TransferRow } from '../../db/transfers/queries.js';
import { isRefusalCode, refusal } from '../../domain/errors.js';
import { type TransferAnswer, type TransferInput, transferWorkflowId } from '../../workflows/transfer/contract.js';
import type { ApiDeps } from '../deps.js';
import { childId } from '../http/ids.js';
import { now } from '../http/instants.js';
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
import { retrySettingsOf } from '../temporal/retry-settings.js';
import { pendingTransfer } from './read.js';
import type { newTransfer, Transfer } from './schemas.js';
import { viewTransfer } from './view.js';

type NewTransfer = z.output<typeof newTransfer>;
type Opened = Reply<Answer<201 | 202, Transfer>>;

export async function openTransfer(body: NewTransfer, call: CallContext, deps: ApiDeps): Promise<Opened> {
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
    pace: retrySettingsOf(deps.settings),
    caller: call.caller,
    requestedAt: now(),
  };
  const outcome = await deps.sagas.startTransfer(input, { updateId: call.ids.update, waitMs: call.waitMs });
  if (outcome.kind === 'unavailable') return unavailable('Temporal');
  if (outcome.kind === 'refused') return refuseWith(outcome.refusal, { transferId });
  if (outcome.kind === 'answered' && outcome.answer.kind === 'refused') return refuseWith(outcome.answer.refusal);

  const headers = { Location: `/api/transfers/${transferId}` };
  const stored = await getTransfer(db, transferId);
  if (outcome.kind === 'late') return answer(202, stored ? viewTransfer(stored) : pendingTransfer(input), headers);
  if (outcome.kind === 'answered') return stored ? answer(201, viewTransfer(stored), headers) : unavailable('Postgres');
  const past = await deps.sagas.pastAnswer<TransferAnswer>(workflowId, call.ids.update);
  return past?.kind === 'refused' ? refuseWith(past.refusal) : endedReply(stored, headers);
}

/** What is wrong with a transfer before it is one. The saga's first step decides again. */
async function checkTransfer(db: Database, { sku, from, to }: NewTransfer): Promise<Refused | null> {
  if (from === to) return refuseFields('same_location', [fieldRefused('/to', 'same_location', { location: from })]);
  const [products, locations] = await Promise.all([findProducts(db, [sku]), findLocations(db, [from, to])]);
  if (products.length === 0) return refuseFields('unknown_sku', [fieldRefused('/sku', 'unknown_sku', { sku })]);
  const known = new Set(locations.map((location) => location.code));
  const nowhere = Object.entries({ from, to }).filter(([, code]) => !known.has(code));
  if (nowhere.length === 0) return null;
  return refuseFields(
    'unknown_location',
    nowhere.map(([end, location]) => fieldRefused(`/${end}`, 'unknown_location', { location })),
  );
}

async function alreadyBegun(transferId: string, { connection, sagas }: ApiDeps): Promise<boolean> {
  if (await getTransfer(connection.db, transferId)) return true;
  const presence = await sagas.presence(transferWorkflowId(transferId));
  return presence === 'running' || presence === 'ended';
}

/** The answer for a transfer whose saga is over and does not remember what it said. */
function endedReply(stored: TransferRow | null, headers: Record<string, string>): Opened {
  if (!stored) return unavailable('the transfer');
  const transfer = viewTransfer(stored);
  if (transfer.failure && isRefusalCode(transfer.failure.code))
    return refuseWith(refusal(transfer.failure.code, transfer.failure.detail), { transferId: transfer.id });
  return answer(201, transfer, headers);
}
