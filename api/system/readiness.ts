/** Checks whether an API process can serve. Each check asks the servers anew. */
import type { Connection } from '../../db/postgres/client.js';
import { schemaCheck } from '../../db/upgrade/migrate.js';
import type { Sagas } from '../temporal/sagas.js';

/** A slower probe counts as failed. */
const probeMs = 2000;

/** `migrations`: the database lacks a migration, or the functions of this release. */
export type Needed = 'postgres' | 'migrations' | 'temporal';

/**
 * Returns a function that names what is not ready. Without Postgres the migrations are unknown, so only `postgres` is
 * named.
 */
export function readiness(connection: Connection, sagas: Sagas): () => Promise<Needed[]> {
  const isUpToDate = schemaCheck();
  const databaseState = async (): Promise<'ready' | 'postgres' | 'migrations'> => {
    try {
      return (await within(probeMs, isUpToDate(connection.sql))) ? 'ready' : 'migrations';
    } catch {
      return 'postgres';
    }
  };
  return async () => {
    const [database, temporal] = await Promise.all([databaseState(), sagas.isReady()]);
    return [...(database === 'ready' ? [] : [database]), ...(temporal ? [] : (['temporal'] as const))];
  };
}

function within<T>(ms: number, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer in ${ms} ms`)), ms);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
