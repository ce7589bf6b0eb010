/** Advances a test clock: starts its workflow, and answers once all that is due has been done. */
import { getTestClock, isPast, type TestClockRow } from '../../db/subscriptions/test-clocks.js';
import { type TestClockInput, testClockWorkflowId } from '../../workflows/test-clock/contract.js';
import type { ApiDeps } from '../deps.js';
import { type Answer, answer, type Reply, refuse, refuseFields, refuseWith, unavailable } from '../http/reply.js';
import type { CallContext } from '../http/route.js';
import { retrySettings } from '../temporal/retry-settings.js';
import type { TestClock } from './schemas.js';

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
    // The answer to an earlier attempt at this call was lost.
    if (call.resumed && Date.parse(clock.now) === Date.parse(to)) return answer(200, viewClock(clock));
    const detail = `must be later than where the clock stands, ${clock.now}`;
    return refuseFields('validation_failed', [{ pointer: '/to', code: 'invalid', detail }]);
  }
  const input: TestClockInput = { clockId, to, retry: retrySettings(deps.settings), caller: call.caller };
  const outcome = await deps.sagas.advanceClock(input, { updateId: call.ids.update, waitMs: call.waitMs });
  if (outcome.kind === 'unavailable') return unavailable('Temporal');
  const refused =
    outcome.kind === 'refused'
      ? outcome
      : outcome.kind === 'answered' && outcome.answer.kind === 'refused' && outcome.answer;
  if (refused) {
    const { refusal } = refused;
    const from = refusal.code === 'invalid_state' ? { from: 'advancing', to: 'advancing' } : {};
    return refuseWith(refusal, { ...from, testClockId: clockId });
  }
  const now = (await getTestClock(db, clockId)) ?? clock;
  const headers = { Location: `/api/test-clocks/${clockId}` };
  if (isPast(now, to)) return answer(200, viewClock(now), headers);
  // Another advance has ended, and this one did not begin.
  if (outcome.kind === 'ended') return unavailable('Temporal');
  return answer(202, { ...viewClock(now), status: 'advancing' }, headers);
}

export function viewClock({ id, now, target }: TestClockRow): TestClock {
  return { id, now, status: target === null ? 'ready' : 'advancing' };
}
