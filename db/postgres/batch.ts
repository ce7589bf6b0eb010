/** Runs a batch of commands in one transaction, and decides which callers get its error. */
import postgres from 'postgres';

/** A caller waits at most this long for its batch to begin: after that, Postgres is taken to be unavailable. */
export const batchWaitMs = 5000;

/** Attempts of a transaction that loses to others. Each retry starts at once. */
const maxCollisions = 10;

/** serialization_failure, deadlock_detected */
const collisions = new Set(['40001', '40P01']);
/** cannot_coerce, undefined_column, undefined_function */
const outdated = new Set(['42846', '42703', '42883']);
/** Violated when another batch commits the same operation key after this one has looked for it. */
const keyConstraint = 'stock_operations_pkey';

/** Connection exception, insufficient resources, operator intervention, system error, internal error. */
const breakdowns = /^(08|53|57|58|XX)/;

/**
 * Wraps a call that runs a batch of commands in one transaction. Each command has a key, so a repetition is harmless.
 * - After a collision with another batch, or with an upgrade, it repeats the batch, a few times.
 * - When Postgres fails or cannot be reached, every caller gets the error: the outcome of the batch is unknown.
 * - When a command is at fault, the whole batch was rolled back: it runs the commands again one by one, so that only the
 *   caller of the faulty one gets the error.
 */
export function batchRunner<In, Out>(
  call: (items: readonly In[]) => Promise<readonly Out[]>,
): (items: readonly In[]) => Promise<readonly PromiseSettledResult<Out>[]> {
  const run = async (items: readonly In[]): Promise<readonly Out[]> => {
    for (let collision = 1; ; collision++) {
      try {
        return await call(items);
      } catch (error) {
        if (!(isCollision(error) || ranOutdated(error)) || collision === maxCollisions) throw error;
      }
    }
  };
  return async (items) => {
    try {
      return (await run(items)).map((value) => ({ status: 'fulfilled', value }));
    } catch (error) {
      if (items.length === 1 || !isCommandFault(error)) throw error;
    }
    const settled: PromiseSettledResult<Out>[] = [];
    for (const item of items) settled.push(...(await Promise.allSettled([run([item]).then(only)])));
    return settled;
  };
}

/** Whether the transaction lost to another one, and can be repeated unchanged. */
export function isCollision(error: unknown): boolean {
  if (!(error instanceof postgres.PostgresError)) return false;
  return collisions.has(error.code) || error.constraint_name === keyConstraint;
}

function isCommandFault(error: unknown): boolean {
  return (
    error instanceof postgres.PostgresError &&
    !breakdowns.test(error.code) &&
    !isCollision(error) &&
    !ranOutdated(error)
  );
}

/**
 * Whether the call began before an upgrade of the database and went on after it, in an old function body on new tables.
 * Nothing was changed, and a repetition runs the new body.
 */
export function ranOutdated(error: unknown): boolean {
  return error instanceof postgres.PostgresError && outdated.has(error.code) && /\bfunction\b/i.test(error.where ?? '');
}

function only<T>(results: readonly T[]): T {
  const [result] = results;
  if (result === undefined || results.length > 1)
    throw new Error(`Postgres returned ${results.length} results for one command`);
  return result;
}
