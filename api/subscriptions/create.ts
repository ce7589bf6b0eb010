/** POST /api/subscriptions: starts `subscription/<id>` and answers once its first charge is decided. */
import type { z } from 'zod';
import type { Database } from '../../db/postgres/client.js';
import { getTestClock } from '../../db/subscriptions/test-clocks.js';
import { refusalStatus } from '../../domain/errors.js';
import { latestClockTime } from '../../domain/limits.js';
import { customerLimits } from '../../domain/payments/limits.js';
import { usesLiveKey } from '../../domain/stripe-settings.js';
import { type SubscriptionInput, subscriptionWorkflowId } from '../../workflows/subscription/contract.js';
import type { ApiDeps } from '../deps.js';
import { now, wholeSecond } from '../http/instants.js';
import { type Answer, type FieldError, type Refused, type Reply, refuseFields, refuseWith } from '../http/reply.js';
import type { CallContext } from '../http/route.js';
import { refuseTokens } from '../shapes/payment.js';
import { retrySettings } from '../temporal/retry-settings.js';
import { hasBegun, startSaga } from '../temporal/saga-resource.js';
import { subscriptions } from './read.js';
import type { newSubscription, Subscription } from './schemas.js';

type NewSubscription = z.output<typeof newSubscription>;

export async function subscribe(
  body: NewSubscription,
  call: CallContext,
  deps: ApiDeps,
): Promise<Reply<Answer<201 | 202, Subscription>>> {
  const { settings, connection } = deps;
  const subscriptionId = call.ids.resource;
  call.note({ subscriptionId, workflowId: subscriptionWorkflowId(subscriptionId) });
  const foreign = refuseTokens(settings.paymentGateway, body, '');
  if (foreign) return foreign;
  // What an earlier call has begun is not checked against the time again.
  const begun = await hasBegun(subscriptions, subscriptionId, call, deps);
  const problem = begun ? null : await timesProblem(body, connection.db, usesLiveKey(settings));
  if (problem) return problem;

  const limits = customerLimits(settings.payments);
  const input: SubscriptionInput = {
    subscriptionId,
    customerId: body.customerId,
    email: body.email ?? null,
    plan: body.plan,
    gateway: settings.paymentGateway,
    cardToken: body.cardToken,
    backupCardToken: body.backupCardToken ?? null,
    startAt: body.startAt === undefined ? null : wholeSecond(body.startAt),
    anchorDay: body.anchorDay ?? null,
    testClock: body.testClock ?? null,
    dunningWaitsSeconds: settings.payments.dunningWaitsSeconds,
    ...(limits && { limits }),
    retry: retrySettings(settings),
    caller: call.caller,
    requestedAt: now(),
  };
  const reply = await startSaga(
    subscriptions,
    input,
    (updateCall) => deps.sagas.startSubscription(input, updateCall),
    call,
    deps,
  );
  // It is kept, as cancelled with its failure.
  if (reply.kind !== 'refused' || refusalStatus[reply.refusal.code] !== 402) return reply;
  return refuseWith(reply.refusal, { subscriptionId });
}

/** A test clock that does not exist or cannot be, and a start before the present of its time. */
async function timesProblem(
  { startAt, testClock }: NewSubscription,
  db: Database,
  isLive: boolean,
): Promise<Refused | null> {
  const errors: FieldError[] = [];
  const clock = testClock === undefined ? null : await getTestClock(db, testClock);
  if (testClock !== undefined && isLive)
    errors.push({ pointer: '/testClock', code: 'invalid', detail: 'a live key of Stripe takes no test clocks' });
  else if (testClock !== undefined && clock === null)
    errors.push({ pointer: '/testClock', code: 'invalid', detail: 'there is no such test clock' });
  const present = wholeSecond(clock?.now ?? now());
  if (startAt !== undefined && wholeSecond(startAt) < present)
    errors.push({ pointer: '/startAt', code: 'invalid', detail: `must not be before now, ${present}` });
  if (startAt !== undefined && startAt >= latestClockTime)
    errors.push({ pointer: '/startAt', code: 'invalid', detail: `must be before ${latestClockTime}` });
  return errors.length === 0 ? null : refuseFields('validation_failed', errors);
}
