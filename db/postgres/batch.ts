/** What to do when Postgres does not take a batch: whose fault it was decides who hears of it. */
import postgres from 'postgres';

/** A caller whose batch has not begun after this long is given up: the batches before it wait for a server that is away. */
export const batchWaitMs = 5000;

/** Two batches met in an order that neither could foresee; the one that was sent back comes again at once. */
const maxCollisions = 10;

/** serialization_failure, deadlock_detected */
const collisions = new Set(['40001', '40P01']);
/** What a key violates that was decided in another batch since this one looked for it. */
const keyConstraint = 'stock_operations_pkey';

/** Connection exceptions, too few resources, operator intervention, system error, internal error. */
const breakdowns = /^(08|53|57|58|XX)/;

/**
 * Wraps a call that does a batch of commands in one transaction, each command under a key that makes a repetition
 * harmless.
 * - A collision with another batch is repeated, a few times.
 * - Where Postgres is at fault, or cannot be reached, the error is everybody's: what became of the batch is unknown.
 * - Where a command is at fault, all of them were rolled back: they are done again one by one, so that its error is its
 *   own and its neighbours get their answers.
 */
export function batchRunner<In, Out>(
  call: (items: readonly In[]) => Promise<readonly Out[]>,
): (items: readonly In[]) => Promise<readonly PromiseSettledResult<Out>[]> {
  const run = async (items: readonly In[]): Promise<readonly Out[]> => {
    for (let collision = 1; ; collision++) {
      try {
        return await call(items);
      } catch (error) {
        if (!isCollision(error) || collision === maxCollisions) throw error;
      }
    }
  };
  return async (items) => {
    try {
      return (await run(items)).map((value) => ({ status: 'fulfilled', value }));
    } catch (error) {
      if (items.length === 1 || !isOwnFault(error)) throw error;
    }
    const settled: PromiseSettledResult<Out>[] = [];
    for (const item of items) settled.push(...(await Promise.allSettled([run([item]).then(only)])));
    return settled;
  };
}

/** Whether the transaction lost to another one, and may be done again as it is. */
export function isCollision(error: unknown): boolean {
  if (!(error instanceof postgres.PostgresError)) return false;
  return collisions.has(error.code) || error.constraint_name === keyConstraint;
}

function isOwnFault(error: unknown): boolean {
  return error instanceof postgres.PostgresError && !breakdowns.test(error.code) && !isCollision(error);
}

function only<T>(results: readonly T[]): T {
  const [result] = results;
  if (result === undefined || results.length > 1) throw new Error(`one command got ${results.length} answers`);
  return result;
}
