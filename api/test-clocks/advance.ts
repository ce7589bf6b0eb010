/** Advances a test clock: starts its workflow, and answers once all that is due has been done. */
import { getTestClock, startAdvance, type TestClockRow } from '../../db/subscriptions/test-clocks.js';
import { type TestClockInput, testClockWorkflowId } from '../../workflows/test-clock/contract.js';
import type { ApiDeps } from '../deps.js';
import { type Answer, answer, type Reply, refuse, refuseFields, unavailable } from '../http/reply.js';
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
  const claimed = await startAdvance(db, clockId, to);
  const clock = await getTestClock(db, clockId);
  if (claimed === 'absent' || clock === null) return refuse('not_found', 'no such test clock');
  if (claimed === 'busy')
    return refuse('invalid_state', `the test clock is being advanced to ${clock.target}`, {
      ...{ from: 'advancing', to: 'advancing', testClockId: clockId },
    });
  if (claimed === 'past') {
    // The answer to an earlier attempt at this call was lost.
    if (call.resumed && Date.parse(clock.now) === Date.parse(to)) return answer(200, viewClock(clock));
    const detail = `must be later than where the clock stands, ${clock.now}`;
    return refuseFields('validation_failed', [{ pointer: '/to', code: 'invalid', detail }]);
  }
  const input: TestClockInput = { clockId, to, retry: retrySettings(deps.settings), caller: call.caller };
  const outcome = await deps.sagas.advanceClock(input, { updateId: call.ids.update, waitMs: call.waitMs });
  if (outcome.kind === 'unavailable') return unavailable('Temporal');
  if (outcome.kind === 'refused') return { kind: 'refused', refusal: outcome.refusal };
  const view = viewClock((await getTestClock(db, clockId)) ?? clock);
  const headers = { Location: `/api/test-clocks/${clockId}` };
  return view.status === 'ready' ? answer(200, view, headers) : answer(202, view, headers);
}

export function viewClock({ id, now, target }: TestClockRow): TestClock {
  return { id, now, status: target === null ? 'ready' : 'advancing' };
}
