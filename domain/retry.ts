/**
 * The number of attempts of a gateway call and the waits between them. Pure arithmetic.
 * An unanswered payment call has the same retries in every class: it may have taken effect, and a customer waits, so it is
 * retried sooner and more often, with the same idempotency key.
 */

export type RetryClass =
  | 'authorize'
  | 'capture'
  | 'fraud'
  | 'refund'
  | 'backupCard'
  | 'replenishmentSupplier'
  | 'supplierReserve';

/** Why an attempt has no answer. Gateways throw it; activities pass it on as the failure's type. */
export const faults = ['unreachable', 'no_answer', 'server_error', 'malformed'] as const;
export type Fault = (typeof faults)[number];

/**
 * The type of an activity's failure that no retry fixes: Postgres refuses the values, or they cannot cross Temporal. A person
 * must remove the cause.
 */
export const lastingFailure = 'LastingFailure';

/** The class of a fault, for clients. The other system's words are for operators only. */
export const faultDescriptions: Readonly<Record<Fault, string>> = {
  unreachable: 'could not be reached',
  no_answer: 'gave no answer in time',
  server_error: 'answered with an error',
  malformed: 'gave an answer that cannot be understood',
};

interface Policy {
  /** In all, the first one included. */
  readonly attempts: number;
  readonly firstWaitSeconds: number;
  readonly growth: 'fixed' | 'doubling';
  /** Whether no customer waits for the call: an unanswered attempt then waits as long as a failed one. */
  readonly backgroundCall?: true;
}

const policies: Readonly<Record<RetryClass, Policy>> = {
  authorize: { attempts: 3, firstWaitSeconds: 5, growth: 'doubling' },
  capture: { attempts: 3, firstWaitSeconds: 60, growth: 'fixed' },
  fraud: { attempts: 2, firstWaitSeconds: 30, growth: 'fixed' },
  refund: { attempts: 2, firstWaitSeconds: 30, growth: 'fixed' },
  backupCard: { attempts: 3, firstWaitSeconds: 10, growth: 'doubling' },
  replenishmentSupplier: { attempts: 3, firstWaitSeconds: 300, growth: 'doubling', backgroundCall: true },
  supplierReserve: { attempts: 3, firstWaitSeconds: 2, growth: 'doubling', backgroundCall: true },
};

const unanswered: Policy = { attempts: 5, firstWaitSeconds: 2, growth: 'doubling' };

/** The largest number of attempts of any policy, which an activity's own retry policy must allow. */
export const maxAttempts = Math.max(unanswered.attempts, ...Object.values(policies).map((policy) => policy.attempts));

/**
 * Milliseconds to wait before the next attempt, or null when the attempts are used up.
 * @param attempt the number of the attempt that failed, from 1
 * @param scale factor on the wait (RETRY_BASE_SCALE)
 */
export function nextWaitMs(retryClass: RetryClass, fault: Fault, attempt: number, scale: number): number | null {
  const policy = fault === 'no_answer' && !policies[retryClass].backgroundCall ? unanswered : policies[retryClass];
  if (attempt >= policy.attempts) return null;
  const factor = policy.growth === 'doubling' ? 2 ** (attempt - 1) : 1;
  return Math.max(1, Math.round(policy.firstWaitSeconds * factor * scale * 1000));
}

export function isFault(value: unknown): value is Fault {
  return faults.some((fault) => fault === value);
}

/** How long a gateway call may hold up a workflow task, in seconds. A slower call is retried outside the task. */
export const inTaskSeconds = 2;

/** How long a charge may delay a cancel inside a workflow task, in milliseconds. */
export const maxCancelDelayMs = 250;
