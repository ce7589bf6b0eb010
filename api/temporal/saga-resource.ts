/**
 * What the API answers about a resource whose every change is made by a saga: when it is read, when its saga was started,
 * when the saga was given a command. Postgres has it as it stands; before the saga has written anything, what the saga was
 * started with says what it will write.
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
import type { Asking, Outcome, UpdateOutcome } from './saga-client.js';

/** A row as it stands, and why the caller who started its saga was refused. */
interface Stored<View> {
  readonly view: View;
  readonly refusal: Refusal | null;
}

export interface SagaResource<View, Input> {
  /** In a sentence: `order`. */
  readonly noun: string;
  /** The member that names it in refusals and in the log: `orderId`. */
  readonly idMember: string;
  /** Where it is read: `/api/orders`. */
  readonly path: string;
  readonly workflowId: (id: string) => string;
  readonly stored: (db: Database, id: string) => Promise<Stored<View> | null>;
  /** What the saga will write when it begins. */
  readonly pending: (db: Database, input: Input) => Promise<View> | View;
  /** Whether a saga that has ended has written it down in any case. */
  readonly alwaysWritten: boolean;
}

export type Found<View> =
  | { readonly kind: 'found'; readonly view: View }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unknown' };

/** Reads what a saga made. `unknown`: Postgres has none and Temporal could not be asked. */
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
  // It may have been written down meanwhile.
  const now = await resource.stored(db, id);
  if (now) return { kind: 'found', view: now.view };
  if (started.kind !== 'input') return { kind: started.kind };
  if (presence === 'ended' && !resource.alwaysWritten) return { kind: 'absent' };
  return { kind: 'found', view: await resource.pending(db, started.input) };
}

/** Answers a GET of one. */
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

/** The answer where there is none, or where that cannot be said. */
export function notFound({ noun }: { readonly noun: string }, kind: 'absent' | 'unknown'): Refused {
  return kind === 'unknown' ? unavailable('Temporal') : refuse('not_found', `no such ${noun}`);
}

/** Whether an earlier call with the same key has started the saga: it carries on whatever has become of its catalogue. */
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

/** Starts the saga with the id of the call, and answers its first decision. */
export async function startSaga<View, Input>(
  resource: SagaResource<View, Input>,
  input: Input,
  start: (asking: Asking) => Promise<Outcome<SagaAnswer<string>>>,
  call: CallContext,
  deps: ApiDeps,
): Promise<Reply<Answer<201 | 202, View>>> {
  const { db } = deps.connection;
  const { resource: id, update: updateId } = call.ids;
  const named = { [resource.idMember]: id };
  const outcome = await start({ updateId, waitMs: call.waitMs });
  if (outcome.kind === 'unavailable') return unavailable('Temporal');
  if (outcome.kind === 'refused') return refuseWith(outcome.refusal, named);
  // The saga names what it has made, if anything.
  if (outcome.kind === 'answered' && outcome.answer.kind === 'refused') return refuseWith(outcome.answer.refusal);

  const headers = { Location: `${resource.path}/${id}` };
  const stored = await resource.stored(db, id);
  if (outcome.kind === 'late') return answer(202, stored?.view ?? (await resource.pending(db, input)), headers);
  if (outcome.kind === 'answered') return stored ? answer(201, stored.view, headers) : unavailable('Postgres');
  // Over, and it may not remember what it answered.
  const past = await deps.sagas.pastAnswer<SagaAnswer<string>>(resource.workflowId(id), updateId);
  if (past?.kind === 'refused') return refuseWith(past.refusal);
  if (!stored) return unavailable(`the ${resource.noun}`);
  return stored.refusal ? refuseWith(stored.refusal, named) : answer(201, stored.view, headers);
}

/** A resource that can be given commands. */
export interface Commanded<View, Input, Status extends string> extends SagaResource<View, Input> {
  /** Whether nothing can change it any more. */
  readonly isOver: (view: View) => boolean;
  readonly cannotBecome: (view: View, to: Status) => Refusal;
}

export interface SagaCommand<View, Status extends string, Success extends number> {
  /** The status that the command leads to. */
  readonly to: Status;
  readonly successStatus: Success;
  readonly ask: (asking: Asking) => Promise<UpdateOutcome<SagaAnswer<string>>>;
  /** Whether what is over has come to be as the command would have it. */
  readonly isDone: (view: View) => boolean;
  /** What a client can do where the saga takes no more updates, and the command is no signal. */
  readonly insteadWhenFull?: string;
  /** What is wrong with the command itself, where the saga is over and cannot say it. */
  readonly problem?: (view: View) => Refused | null;
}

/** Gives a command to the saga, and answers with what it is about as it stands then. */
export async function commandSaga<View, Input, Status extends string, Success extends number>(
  resource: Commanded<View, Input, Status>,
  id: string,
  command: SagaCommand<View, Status, Success>,
  call: CallContext,
  deps: ApiDeps,
): Promise<Reply<Answer<Success | 202, View>>> {
  const named = { [resource.idMember]: id };
  call.note({ ...named, workflowId: resource.workflowId(id) });
  const outcome = await command.ask({ updateId: call.ids.update, waitMs: call.waitMs });
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
      const detail = `the ${resource.noun} has taken as many requests as it can; ${command.insteadWhenFull}`;
      return refuseWith({ ...resource.cannotBecome(view, command.to), detail }, named);
    }
    case 'ended':
      return (await pastReply(resource, id, command, view, call, deps)) ?? afterTheEnd(resource, view, command, named);
  }
}

/** What the saga answered before it ended, where an earlier call with the same key may have been given its answer. */
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
