/**
 * Reads, starts and commands a resource that only its saga changes, and makes the API's answers about it. Postgres has the
 * resource as it stands. Until the saga has written it, the saga's input tells what it will write.
 */
import type { Database } from '../../db/postgres/client.js';
import type { Refusal } from '../../domain/errors.js';
import type { SagaAnswer } from '../../workflows/shared/contract.js';
import type { ApiDeps } from '../deps.js';
import {
  type Answer,
  answer,
  beingResumed,
  type Refused,
  type Reply,
  refuse,
  refuseWith,
  unavailable,
} from '../http/reply.js';
import type { CallContext } from '../http/route.js';
import type { Outcome, UpdateCall, UpdateOutcome } from './saga-client.js';

/** A row as it stands, and why its saga refused the caller who started it. */
interface Stored<View> {
  readonly view: View;
  readonly refusal: Refusal | null;
}

export interface SagaResource<View, Input> {
  /** Its name in a sentence: `order`. */
  readonly noun: string;
  /** The member with its id in refusals and in the log: `orderId`. */
  readonly idMember: string;
  /** Its collection: `/api/orders`. */
  readonly path: string;
  readonly workflowId: (id: string) => string;
  readonly stored: (db: Database, id: string) => Promise<Stored<View> | null>;
  /** The resource as the saga will first write it. */
  readonly pending: (db: Database, input: Input) => Promise<View> | View;
  /** Whether its saga may answer before it is decided: such an answer is 202. Absent: it never does. */
  readonly isUndecided?: (view: View) => boolean;
  /** The resource of a saga that refused, if clients can have heard of it before. Absent: it never existed. */
  readonly refused?: (db: Database, input: Input, why: Refusal) => Promise<View>;
  /** Whether every saga writes its resource, even one that was terminated. */
  readonly alwaysWritten: boolean;
}

export type Found<View> =
  | { readonly kind: 'found'; readonly view: View }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unknown' };

/** Reads a resource. `unknown`: Postgres has none and Temporal could not be reached. */
export async function findSaga<View, Input>(
  resource: SagaResource<View, Input>,
  id: string,
  { connection: { db }, sagas }: ApiDeps,
): Promise<Found<View>> {
  const stored = await resource.stored(db, id);
  if (stored) return { kind: 'found', view: stored.view };
  const workflowId = resource.workflowId(id);
  const presence = await sagas.presence(workflowId);
  if (presence === 'absent' || presence === 'unknown') return { kind: presence };
  const started = await sagas.startInput<Input>(workflowId);
  // The saga may have written it meanwhile.
  const now = await resource.stored(db, id);
  if (now) return { kind: 'found', view: now.view };
  if (started.kind !== 'input') return { kind: started.kind };
  if (presence === 'ended' && !resource.alwaysWritten) {
    const end = resource.refused && (await sagas.result<SagaAnswer<string>>(workflowId));
    if (end?.kind !== 'refused' || !resource.refused) return { kind: 'absent' };
    return { kind: 'found', view: await resource.refused(db, started.input, end.refusal) };
  }
  return { kind: 'found', view: await resource.pending(db, started.input) };
}

/** Answers a GET of one resource. */
export async function readSaga<View, Input>(
  resource: SagaResource<View, Input>,
  id: string,
  call: CallContext,
  deps: ApiDeps,
): Promise<Reply<Answer<200, View>>> {
  call.note({ [resource.idMember]: id });
  const found = await findSaga(resource, id, deps);
  return found.kind === 'found' ? answer(200, found.view) : notFound(resource, found.kind);
}

/** The refusal where there is no such resource, or where that is unknown. */
export function notFound({ noun }: { readonly noun: string }, kind: 'absent' | 'unknown'): Refused {
  return kind === 'unknown' ? unavailable('Temporal') : refuse('not_found', `no such ${noun}`);
}

/** Whether an earlier call with the same key has started the saga: then the catalogue is not checked again. */
export async function hasBegun<View, Input>(
  resource: SagaResource<View, Input>,
  id: string,
  call: CallContext,
  { connection, sagas }: ApiDeps,
): Promise<boolean> {
  if (!call.resumed) return false;
  if (await resource.stored(connection.db, id)) return true;
  const presence = await sagas.presence(resource.workflowId(id));
  return presence === 'running' || presence === 'ended';
}

/** Starts the saga with the call's ids, and answers with its first decision. */
export async function startSaga<View, Input>(
  resource: SagaResource<View, Input>,
  input: Input,
  start: (updateCall: UpdateCall) => Promise<Outcome<SagaAnswer<string>>>,
  call: CallContext,
  deps: ApiDeps,
): Promise<Reply<Answer<201 | 202, View>>> {
  const { db } = deps.connection;
  const { resource: id, update: updateId } = call.ids;
  const named = { [resource.idMember]: id };
  const outcome = await start({ updateId, waitMs: call.waitMs });
  if (outcome.kind === 'unavailable') return unavailable('Temporal');
  if (outcome.kind === 'refused') return refuseWith(outcome.refusal, named);
  // The saga's refusal names the resource if it was created.
  if (outcome.kind === 'answered' && outcome.answer.kind === 'refused') return refuseWith(outcome.answer.refusal);

  const headers = { Location: `${resource.path}/${id}` };
  const stored = await resource.stored(db, id);
  if (outcome.kind === 'late') return answer(202, stored?.view ?? (await resource.pending(db, input)), headers);
  if (outcome.kind === 'answered' && !stored) return unavailable('Postgres');
  if (stored && resource.isUndecided?.(stored.view)) return answer(202, stored.view, headers);
  if (outcome.kind === 'answered' && stored) return answer(201, stored.view, headers);
  // The saga has ended, and Temporal may no longer have its answer.
  const past = await deps.sagas.pastAnswer<SagaAnswer<string>>(resource.workflowId(id), updateId);
  if (past?.kind === 'refused') return refuseWith(past.refusal);
  if (!stored) return unavailable(`the ${resource.noun}`);
  return stored.refusal ? refuseWith(stored.refusal, named) : answer(201, stored.view, headers);
}

/** A resource that takes commands. */
export interface Commanded<View, Input, Status extends string> extends SagaResource<View, Input> {
  /** Whether it has reached a status that never changes again. */
  readonly isOver: (view: View) => boolean;
  readonly cannotBecome: (view: View, to: Status) => Refusal;
}

export interface SagaCommand<View, Status extends string, Success extends number> {
  /** The status that the command leads to. */
  readonly to: Status;
  readonly successStatus: Success;
  readonly send: (updateCall: UpdateCall) => Promise<UpdateOutcome<SagaAnswer<string>>>;
  /** Whether a resource whose saga has ended already is as the command would make it. */
  readonly isDone: (view: View) => boolean;
  /** What a client can do instead if the saga takes no more updates and the command has no signal. */
  readonly insteadWhenFull?: string;
  /** Checks the command itself once the saga has ended and cannot. */
  readonly problem?: (view: View) => Refused | null;
}

/** Sends a command to the saga, and answers with the resource as it stands then. */
export async function commandSaga<View, Input, Status extends string, Success extends number>(
  resource: Commanded<View, Input, Status>,
  id: string,
  command: SagaCommand<View, Status, Success>,
  call: CallContext,
  deps: ApiDeps,
): Promise<Reply<Answer<Success | 202, View>>> {
  const named = { [resource.idMember]: id };
  call.note({ ...named, workflowId: resource.workflowId(id) });
  const outcome = await command.send({ updateId: call.ids.update, waitMs: call.waitMs });
  if (outcome.kind === 'refused') return refuseWith(outcome.refusal, named);
  if (outcome.kind === 'answered' && outcome.answer.kind === 'refused')
    return refuseWith(outcome.answer.refusal, named);
  if (outcome.kind === 'unavailable') return unavailable('Temporal');

  const found = await findSaga(resource, id, deps);
  if (found.kind !== 'found') return notFound(resource, found.kind);
  const { view } = found;
  switch (outcome.kind) {
    case 'answered':
      return answer(command.successStatus, view);
    case 'late':
      return answer(202, view, { Location: `${resource.path}/${id}` });
    case 'full': {
      const detail = `the ${resource.noun} has taken as many commands as it can; ${command.insteadWhenFull}`;
      return refuseWith({ ...resource.cannotBecome(view, command.to), detail }, named);
    }
    case 'ended':
      return (await pastReply(resource, id, command, view, call, deps)) ?? afterTheEnd(resource, view, command, named);
  }
}

/** The saga's answer to an earlier call with the same key, given before the saga ended. */
async function pastReply<View, Input, Status extends string, Success extends number>(
  resource: Commanded<View, Input, Status>,
  id: string,
  command: SagaCommand<View, Status, Success>,
  view: View,
  call: CallContext,
  deps: ApiDeps,
): Promise<Reply<Answer<Success, View>> | null> {
  if (!call.resumed) return null;
  const past = await deps.sagas.pastAnswer<SagaAnswer<string>>(resource.workflowId(id), call.ids.update);
  if (past?.kind === 'refused') return refuseWith(past.refusal, { [resource.idMember]: id });
  return past?.kind === 'done' ? answer(command.successStatus, view) : null;
}

function afterTheEnd<View, Input, Status extends string, Success extends number>(
  resource: Commanded<View, Input, Status>,
  view: View,
  command: SagaCommand<View, Status, Success>,
  named: Readonly<Record<string, string>>,
): Reply<Answer<Success, View>> {
  if (command.isDone(view)) return answer(command.successStatus, view);
  if (!resource.isOver(view)) return beingResumed(resource.noun, named);
  return command.problem?.(view) ?? refuseWith(resource.cannotBecome(view, command.to), named);
}
