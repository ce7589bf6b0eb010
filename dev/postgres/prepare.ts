/** Prepares the database of the embedded stack. */
import { ensureApiKey } from '../../db/access/api-keys.js';
import { connect } from '../../db/postgres/client.js';
import { migrate } from '../../db/upgrade/migrate.js';
import type { Standing } from '../../db/upgrade/release.js';
import { runningRoleOf } from '../../db/upgrade/roles.js';
import { scopes } from '../../domain/scopes.js';
import { messageOf, StartError } from '../start-error.js';

export interface DatabaseUrls {
  /** For the role that owns the database. */
  readonly databaseUrl: string;
  /** For the role that API and workers run as; the same if only one was given. */
  readonly runningUrl: string;
}

/**
 * Brings the database up to date, unless it belongs to a newer release, and gives this key every scope. Throws StartError if
 * it cannot.
 */
export async function prepareDatabase(urls: DatabaseUrls, apiKey: string, keyName: string): Promise<Standing> {
  const { databaseUrl, runningUrl } = urls;
  try {
    const standing = await migrate(databaseUrl, runningRoleOf(runningUrl, databaseUrl));
    const connection = connect(databaseUrl, { applicationName: 'holdfast-setup', maxConnections: 1 });
    try {
      await ensureApiKey(connection.db, { key: apiKey, name: keyName, scopes });
    } finally {
      await connection.close();
    }
    return standing;
  } catch (error) {
    throw new StartError(`cannot use the database: ${messageOf(error)}`);
  }
}
