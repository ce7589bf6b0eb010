/** One advance of a test clock: `test-clock/<id>`. The subscriptions on it do all that is due on the way. */
import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  defineUpdate,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow';
import { type Refusal, refusal } from '../../domain/errors.js';
import { FirstAnswer } from '../shared/first-answer.js';
import { advancing, database } from '../shared/proxies.js';
import { type AdvancedRequest, type TestClockAnswer, type TestClockInput, testClockUpdates } from './contract.js';

const advanced = defineUpdate<TestClockAnswer, [AdvancedRequest]>(testClockUpdates.advanced);

export async function testClock(input: TestClockInput): Promise<TestClockAnswer> {
  const answer = new FirstAnswer<TestClockAnswer>();
  setHandler(advanced, () => answer.given, {
    validator: ({ to }) => {
      if (Date.parse(to) !== Date.parse(input.to)) throw asFailure(isAdvancing(input.clockId));
    },
  });
  // Half an advance would leave subscriptions behind their clock.
  return await CancellationScope.nonCancellable(async () => {
    const done = await advance(input);
    answer.give(done);
    await condition(allHandlersFinished);
    return done;
  });
}

async function advance({ clockId, to, caller }: TestClockInput): Promise<TestClockAnswer> {
  setCurrentDetails(`is being advanced to ${to}`);
  const started = await database.startAdvance(clockId, to);
  if (started === 'busy') return { kind: 'refused', status: 'advancing', refusal: isAdvancing(clockId) };
  if (started === 'past') return { kind: 'refused', status: 'ready', refusal: notLater(clockId) };
  if (started === 'absent') return { kind: 'refused', status: 'ready', refusal: absent(clockId) };
  const { actor, requestId } = caller;
  await advancing.advanceClock(clockId, to, { actor, requestId });
  setCurrentDetails(`stands at ${to}`);
  return { kind: 'done', status: 'ready' };
}

function isAdvancing(clockId: string): Refusal {
  return refusal('invalid_state', `test clock ${clockId} is being advanced to another time`);
}

function notLater(clockId: string): Refusal {
  const detail = `test clock ${clockId} already stands there, or later`;
  return refusal('validation_failed', detail, { errors: [{ pointer: '/to', code: 'too_small', detail }] });
}

function absent(clockId: string): Refusal {
  return refusal('not_found', `there is no test clock ${clockId}`);
}

function asFailure(why: Refusal): ApplicationFailure {
  return ApplicationFailure.create({ type: why.code, message: why.detail, nonRetryable: true, details: [why] });
}
