/**
 * The activity proxies, one for each class of calls, each with the reason for its figures. A gateway activity sets its own
 * waits (domain/retry.ts); the policies here apply when its worker died and it could not.
 */

import {
  type ActivityInterfaceFor,
  type ActivityOptions,
  type LocalActivityInterfaceFor,
  type LocalActivityOptions,
  proxyActivities,
  proxyLocalActivities,
} from '@temporalio/workflow';
import type { Activities } from '../../activities/index.js';
import { inTaskSeconds, lastingFailure, maxAttempts } from '../../domain/retry.js';
import { isBranched } from './branches.js';
import { gatewayTaskQueue, type RetrySettings } from './contract.js';
import { isFinal } from './failures.js';
import { withReviews } from './stuck-steps.js';
import { summaryOf } from './summaries.js';

const seconds = (value: number) => Math.max(1, Math.round(value * 1000));

/** A database step inside the workflow task, without a round trip to the server. */
const databaseLocal: LocalActivityOptions = {
  startToCloseTimeout: '5s',
  retry: {
    initialInterval: '100ms',
    backoffCoefficient: 2,
    maximumInterval: '2s',
    maximumAttempts: 4,
    nonRetryableErrorTypes: [lastingFailure],
  },
};

/** A database step while Postgres is unreachable: the server retries it, so that the history does not grow. */
const databaseRetrying: ActivityOptions = {
  startToCloseTimeout: '15s',
  retry: {
    initialInterval: '500ms',
    backoffCoefficient: 2,
    maximumInterval: '10s',
    nonRetryableErrorTypes: [lastingFailure],
  },
};

/** A database step with a lasting failure and an open review: retried until a person has removed the cause. */
const databaseUnderReview: ActivityOptions = {
  startToCloseTimeout: '15s',
  // An attempt in flight at the cancellation may still succeed, and then counts.
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '60s' },
};

const databaseInTask = summarized(proxyLocalActivities<Activities>(databaseLocal));
const databaseOutside = summarized(proxyActivities<Activities>(databaseRetrying));

/** Every database step: a local attempt, then retries while Postgres is unreachable. A lasting failure opens a review. */
export const database: Activities = withReviews(
  orElse(databaseInTask, databaseOutside),
  summarized(proxyActivities<Activities>(databaseUnderReview)),
);

/** One short attempt of a gateway call inside the workflow task. `gatewayRetries` retries it. */
export const attemptInTask = summarized(
  proxyLocalActivities<Activities>({
    startToCloseTimeout: `${inTaskSeconds + 1}s`,
    retry: { maximumAttempts: 1 },
  }),
);

/** A whole purchase inside the workflow task: a step in Postgres, an attempt at the charge, another step. */
export const singleActivity = summarized(
  proxyLocalActivities<Activities>({
    startToCloseTimeout: `${inTaskSeconds + 2}s`,
    retry: { maximumAttempts: 1 },
  }),
);

/** Retries of an unanswered gateway call: the full time-out, on a queue of their own, which can be rate-limited as a whole. */
export function gatewayRetries(retry: RetrySettings): Activities {
  return summarized(
    proxyActivities<Activities>({
      taskQueue: gatewayTaskQueue,
      startToCloseTimeout: gatewayAttemptMs(retry),
      // A report of the processor cuts an attempt short: it is not waited for.
      cancellationType: 'TRY_CANCEL',
      retry: {
        initialInterval: seconds(2 * retry.retryBaseScale),
        backoffCoefficient: 2,
        maximumAttempts: maxAttempts - 1,
      },
    }),
  );
}

/** The attempts of a compensation before a review is opened, outside the workflow task. */
export function compensation(retry: RetrySettings, attempts: number): Activities {
  return summarized(
    proxyActivities<Activities>({
      ...compensating(retry),
      retry: { ...compensating(retry).retry, maximumAttempts: attempts },
    }),
  );
}

/**
 * A compensation while its review is open: retried for ever, at most 60 s apart. The server waits, so the history does not grow.
 * @param cancellationType whether a cancelled call is over at once, or when its attempt in flight is
 */
export function endlessCompensation(
  retry: RetrySettings,
  cancellationType: 'TRY_CANCEL' | 'WAIT_CANCELLATION_COMPLETED' = 'TRY_CANCEL',
): Activities {
  return summarized(proxyActivities<Activities>({ ...compensating(retry), cancellationType }));
}

function compensating(retry: RetrySettings): ActivityOptions {
  const longest = seconds(Math.max(1, 60 * Math.min(1, retry.retryBaseScale)));
  return {
    taskQueue: gatewayTaskQueue,
    startToCloseTimeout: 4 * gatewayAttemptMs(retry),
    cancellationType: 'TRY_CANCEL',
    retry: {
      initialInterval: Math.min(longest, seconds(retry.retryBaseScale)),
      backoffCoefficient: 2,
      maximumInterval: longest,
    },
  };
}

/**
 * Mails and notices: one attempt inside the workflow task, so that a batch sent at the first attempt takes one task. The
 * workflow waits between attempts, since each one sends only what is left.
 */
export const notices = summarized(
  proxyLocalActivities<Activities>({ startToCloseTimeout: '60s', retry: { maximumAttempts: 1 } }),
);

/** The sweep: long batches with heartbeats. */
export const sweeping = summarized(
  proxyActivities<Activities>({
    startToCloseTimeout: '10m',
    heartbeatTimeout: '30s',
    retry: { initialInterval: '1s', maximumInterval: '10s', maximumAttempts: 5 },
  }),
);

/** The advance of a test clock: as long as its subscriptions take. */
export const advancing = summarized(
  proxyActivities<Activities>({
    startToCloseTimeout: '24h',
    heartbeatTimeout: '10s',
    retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '10s' },
  }),
);

/** Reads processors' books and adopts them: many calls, each with its own time-out. */
export const adopting = summarized(
  proxyActivities<Activities>({
    taskQueue: gatewayTaskQueue,
    startToCloseTimeout: '3h',
    heartbeatTimeout: '10s',
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '60s' },
  }),
);

/**
 * The comparison of payments with processors' books. Each attempt resumes where the last one stopped. A processor that is
 * away for an hour ends it: the next night's reconciliation covers the same days.
 */
export const reconciling = summarized(
  proxyActivities<Activities>({
    taskQueue: gatewayTaskQueue,
    startToCloseTimeout: '12h',
    heartbeatTimeout: '10s',
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    retry: {
      initialInterval: '1s',
      backoffCoefficient: 2,
      maximumInterval: '60s',
      maximumAttempts: 65,
      nonRetryableErrorTypes: [lastingFailure],
    },
  }),
);

/** The verification of the ledger, on any worker. Each attempt resumes where the last one stopped. */
export const verifying = summarized(
  proxyActivities<Activities>({
    startToCloseTimeout: '24h',
    heartbeatTimeout: '10s',
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    retry: {
      initialInterval: '500ms',
      backoffCoefficient: 2,
      maximumInterval: '10s',
      nonRetryableErrorTypes: [lastingFailure],
    },
  }),
);

/** A call may look an operation up before it acts: twice the time-out, and 2 s for the rest. */
function gatewayAttemptMs(retry: RetrySettings): number {
  return seconds(2 * retry.gatewayTimeoutSeconds + 2);
}

/** The activities, each call with its summary in the history. */
function summarized(activities: ActivityInterfaceFor<Activities> | LocalActivityInterfaceFor<Activities>): Activities {
  const target: Activities = activities;
  return new Proxy(target, {
    get:
      (_target, name) =>
      (...args: never[]) => {
        const key = name as keyof Activities;
        const summary = summaryOf(key, args as Parameters<Activities[typeof key]>);
        return Reflect.apply(activities[key].executeWithOptions, undefined, [{ summary }, args]);
      },
  });
}

/** Calls `first`, then `then` after a passing failure. A workflow with branches only calls `then`. */
function orElse(first: Activities, then: Activities): Activities {
  return new Proxy(first, {
    get:
      (_target, name) =>
      async (...args: never[]) => {
        const key = name as keyof Activities;
        if (isBranched()) return await Reflect.apply(then[key], undefined, args);
        try {
          return await Reflect.apply(first[key], undefined, args);
        } catch (error) {
          if (isFinal(error)) throw error;
          return await Reflect.apply(then[key], undefined, args);
        }
      },
  });
}
