/** Advances a test clock: starts its workflow, and answers once all that is due has been done. */
import { setTimeout as sleep } from 'node:timers/promises';
import { getTestClock, isPast, type TestClockRow } from '../../db/subscriptions/test-clocks.js';
import type { Refusal } from '../../domain/errors.js';
import { type TestClockAnswer, type TestClockInput, testClockWorkflowId } from '../../workflows/test-clock/contract.js';
import type { ApiDeps } from '../deps.js';
import { type Answer, answer, type Reply, refuse, refuseFields, refuseWith, unavailable } from '../http/reply.js';
import type { CallContext } from '../http/route.js';
import { retrySettings } from '../temporal/retry-settings.js';
import type { Outcome } from '../temporal/saga-client.js';
import type { TestClock } from './schemas.js';

/** How long a workflow that has advanced its clock may take to end, and how long to wait before asking again. */
const endingMs = 10_000;
const betweenMs = 100;

/** @param to whole seconds, RFC 3339 */
export async function advanceClock(
  clockId: string,
  to: string,
  call: CallContext,
  deps: ApiDeps,
): Promise<Reply<Answer<200 | 202, TestClock>>> {
  const { db } = deps.connection;
  call.note({ testClockId: clockId, workflowId: testClockWorkflowId(clockId) });
  const clock = await getTestClock(db, clockId);
  if (clock === null) return refuse('not_found', 'no such test clock');
  if (isPast(clock, to)) {
    // It has been advanced to there: by another call, or by an attempt at this one whose answer was lost.
    if (Date.parse(clock.now) === Date.parse(to)) return answer(200, viewClock(clock));
    const detail = `must not be before where the clock stands, ${clock.now}`;
    return refuseFields('validation_failed', [{ pointer: '/to', code: 'invalid', detail }]);
  }
  const input: TestClockInput = { clockId, to, retry: retrySettings(deps.settings), caller: call.caller };
  const outcome = await advanceOnceFree(input, call, deps);
  if (outcome.kind === 'unavailable' || outcome.kind === 'ending') return unavailable('Temporal');
  const why = refusalOf(outcome);
  if (why !== null) {
    const states = why.code === 'invalid_state' ? { from: 'advancing', to: 'advancing' } : {};
    return refuseWith(why, { ...states, testClockId: clockId });
  }
  const now = (await getTestClock(db, clockId)) ?? clock;
  const headers = { Location: `/api/test-clocks/${clockId}` };
  if (isPast(now, to)) return answer(200, viewClock(now), headers);
  // Another advance has ended, and this one did not begin.
  if (outcome.kind === 'ended') return unavailable('Temporal');
  return answer(202, { ...viewClock(now), status: 'advancing' }, headers);
}

/**
 * Sends the advance. One that is refused because another is under way, while none is, has met the end of the workflow of that
 * other one: it is sent again until that is over.
 */
async function advanceOnceFree(
  input: TestClockInput,
  call: CallContext,
  { sagas, connection }: ApiDeps,
): Promise<Outcome<TestClockAnswer> | { readonly kind: 'ending' }> {
  for (const until = Date.now() + endingMs; Date.now() < until; await sleep(betweenMs)) {
    const outcome = await sagas.advanceClock(input, { updateId: call.ids.update, waitMs: call.waitMs });
    if (refusalOf(outcome)?.code !== 'invalid_state') return outcome;
    const clock = await getTestClock(connection.db, input.clockId);
    if (clock?.target != null) return outcome;
  }
  return { kind: 'ending' };
}

function refusalOf(outcome: Outcome<TestClockAnswer> | { readonly kind: 'ending' }): Refusal | null {
  if (outcome.kind === 'refused') return outcome.refusal;
  return outcome.kind === 'answered' && outcome.answer.kind === 'refused' ? outcome.answer.refusal : null;
}

export function viewClock({ id, now, target }: TestClockRow): TestClock {
  return { id, now, status: target === null ? 'ready' : 'advancing' };
}
