/** Test clocks: `test-clock/<id>`. */
import { createTestClock, getTestClock } from '../../db/subscriptions/test-clocks.js';
import { usesLiveKey } from '../../domain/stripe-settings.js';
import type { ApiDeps } from '../deps.js';
import { wholeSecond } from '../http/instants.js';
import { answer, refuse, refuseFields } from '../http/reply.js';
import { type Route, route } from '../http/route.js';
import { advancedClockExample, advancingClockExample, testClockExample } from '../openapi/examples/subscriptions.js';
import { advanceClock, viewClock } from './advance.js';
import { advance, newTestClock, testClock, testClockId } from './schemas.js';

export function testClockRoutes(deps: ApiDeps): Route[] {
  const { db } = deps.connection;
  return [
    route({
      method: 'post',
      path: '/api/test-clocks',
      tag: 'Subscriptions',
      summary: 'Make a test clock',
      description:
        'Makes a clock for tests: subscriptions on it see its time, so that years pass in seconds. A live key of Stripe takes none.',
      example: { body: { now: '2026-12-01T00:00:00Z' }, answer: testClockExample },
      scope: 'payments:write',
      creates: 'clk',
      body: newTestClock,
      answers: { 201: testClock },
      handler: async (call) => {
        if (usesLiveKey(deps.settings)) return liveKey();
        const made = await createTestClock(db, {
          ...{ id: call.ids.resource, now: wholeSecond(call.body.now), by: call.caller },
        });
        return answer(201, viewClock(made), { Location: `/api/test-clocks/${made.id}` });
      },
    }),
    route({
      method: 'get',
      path: '/api/test-clocks/:id',
      tag: 'Subscriptions',
      summary: 'Read a test clock',
      description: 'Returns where a test clock stands.',
      example: { answer: testClockExample },
      scope: 'payments:read',
      params: testClockId,
      answers: { 200: testClock },
      handler: async ({ params }) => {
        const found = await getTestClock(db, params.id);
        return found === null ? refuse('not_found', 'no such test clock') : answer(200, viewClock(found));
      },
    }),
    route({
      method: 'post',
      path: '/api/test-clocks/:id/advance',
      tag: 'Subscriptions',
      summary: 'Advance a test clock',
      description:
        'Moves the clock on, and answers when all that is due on the way has been done, in order: renewals, further attempts, cancellations. One advance at a time.',
      example: { body: { to: '2027-01-01T00:00:00Z' }, answer: advancedClockExample, pending: advancingClockExample },
      scope: 'payments:write',
      waits: true,
      params: testClockId,
      body: advance,
      answers: { 200: testClock, 202: testClock },
      refusals: ['not_found', 'invalid_state', 'unavailable'],
      handler: (call) => advanceClock(call.params.id, wholeSecond(call.body.to), call, deps),
    }),
  ];
}

const liveKey = () =>
  refuseFields('validation_failed', [
    { pointer: '', code: 'invalid', detail: 'a live key of Stripe takes no test clocks' },
  ]);
