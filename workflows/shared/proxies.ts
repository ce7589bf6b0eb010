/**
 * The ways in which a workflow calls activities, one a class, each with the reason for its figures. Waits of gateway calls
 * are told by the activity itself (domain/retry.ts); the policies here hold where an activity could not say anything, since
 * its worker died.
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
import { firstTrySeconds, lastingFailure, maxAttempts } from '../../domain/retry.js';
import { isBranched } from './branches.js';
import { gatewayTaskQueue, type RetrySettings } from './contract.js';
import { isFinal } from './failures.js';
import { inSightOfPerson } from './stuck-steps.js';
import { summaryOf } from './summaries.js';

const seconds = (value: number) => Math.max(1, Math.round(value * 1000));

/** A database step on the good path: inside the workflow task, without a round trip to the server. */
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

/** A database step while Postgres is away: waits outside of the workflow task, so that the history does not grow. */
const databasePatient: ActivityOptions = {
  startToCloseTimeout: '15s',
  retry: {
    initialInterval: '500ms',
    backoffCoefficient: 2,
    maximumInterval: '10s',
    nonRetryableErrorTypes: [lastingFailure],
  },
};

/** A database step that failed lastingly and was put before a person, who may have removed the cause. */
const databaseStuck: ActivityOptions = {
  startToCloseTimeout: '15s',
  // What was under way when it is called off may have succeeded, and then counts.
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '60s' },
};

const databaseInTask = summarized(proxyLocalActivities<Activities>(databaseLocal));
const databaseOutside = summarized(proxyActivities<Activities>(databasePatient));

/** Every database step: the local try, then as long as Postgres is away; a lasting error is put before a person. */
export const database: Activities = inSightOfPerson(
  orElse(databaseInTask, databaseOutside),
  summarized(proxyActivities<Activities>(databaseStuck)),
);

/** The first try of a gateway call: short, once. `patient` continues what it leaves undecided. */
export const firstTry = summarized(
  proxyLocalActivities<Activities>({
    startToCloseTimeout: `${firstTrySeconds + 1}s`,
    retry: { maximumAttempts: 1 },
  }),
);

/** A whole purchase: a step in Postgres, a first attempt at the charge, another step. Once, as the first try is. */
export const singleActivity = summarized(
  proxyLocalActivities<Activities>({
    startToCloseTimeout: `${firstTrySeconds + 2}s`,
    retry: { maximumAttempts: 1 },
  }),
);

/** A gateway call that was left undecided: the full time-out, on the queue where gateways can be slowed down as one. */
export function patient(retry: RetrySettings): Activities {
  return summarized(
    proxyActivities<Activities>({
      taskQueue: gatewayTaskQueue,
      startToCloseTimeout: gatewayAttemptMs(retry),
      retry: {
        initialInterval: seconds(2 * retry.retryBaseScale),
        backoffCoefficient: 2,
        maximumAttempts: maxAttempts - 1,
      },
    }),
  );
}

/** A compensation until a person is told: so many attempts, without a local one before. */
export function compensation(retry: RetrySettings, attempts: number): Activities {
  return summarized(
    proxyActivities<Activities>({
      ...compensating(retry),
      retry: { ...compensating(retry).retry, maximumAttempts: attempts },
    }),
  );
}

/** A compensation after a person was told: for ever, at most 60 s apart. Its waits are the server's and leave no history. */
export function endlessCompensation(retry: RetrySettings): Activities {
  return summarized(proxyActivities<Activities>(compensating(retry)));
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
 * Mails and notices: one try at a time inside the workflow task, so that a batch that goes out at once is one task. The
 * workflow itself waits between its 3 attempts, since what is left differs each time.
 */
export const notices = summarized(
  proxyLocalActivities<Activities>({ startToCloseTimeout: '60s', retry: { maximumAttempts: 1 } }),
);

/** The sweep: long batches that say that they live. */
export const sweeping = summarized(
  proxyActivities<Activities>({
    startToCloseTimeout: '10m',
    heartbeatTimeout: '30s',
    retry: { initialInterval: '1s', maximumInterval: '10s', maximumAttempts: 5 },
  }),
);

/** The walk through the ledger: as long as it takes, on any worker; each attempt continues where the last one stood. */
export const verifying = summarized(
  proxyActivities<Activities>({
    startToCloseTimeout: '24h',
    heartbeatTimeout: '30s',
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    retry: {
      initialInterval: '500ms',
      backoffCoefficient: 2,
      maximumInterval: '10s',
      nonRetryableErrorTypes: [lastingFailure],
    },
  }),
);

/** A call may look up, act and look again: three times the time-out, and a little for the way. */
function gatewayAttemptMs(retry: RetrySettings): number {
  return seconds(2 * retry.gatewayTimeoutSeconds + 2);
}

/** The same activities, each call with its summary in the history. */
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

/** Calls `first`, and where that fails for a passing reason, `then`; `then` at once where several things run at the same time. */
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
