/**
 * Which release the functions of a database belong to, and what an older one may do with it (docs/adr/0019): its functions
 * serve the release before too, so processes of both run side by side, and only the newer release changes the database.
 */
import type postgres from 'postgres';
import semver from 'semver';
import { type FunctionFile, haveBeenApplied } from './functions.js';
import { hasNewerMigration, type Migration, missingMigrations } from './migrations.js';

/** The version of package.json, fixed in the build: a running stack stays what it was started as. */
export const release = '0.1.0';

/** What a build brings to a database. */
export interface Upgrade {
  readonly release: string;
  readonly migrations: readonly Migration[];
  readonly functions: readonly FunctionFile[];
}

/** A transaction, or a connection. */
type Sql = postgres.ISql;

/**
 * - `present`: no newer build has been here.
 * - `served`: a newer one has, of the next release after this or of this one, whose functions serve this one too.
 * - `unserved`: this one has never been here, or is older than that.
 */
export type Standing =
  | { readonly kind: 'present' }
  | {
      readonly kind: 'served' | 'unserved';
      /** Null: a build of the same release, or of an unreleased one, which has a migration that this one does not know. */
      readonly newest: string | null;
      readonly before: string | null;
    };

/** Where a release stands among those that a database has had. Versions are ordered as semver.org does. */
export function standingAmong(applied: readonly string[], mine: string): Standing {
  const newest = applied.toSorted(semver.rcompare)[0];
  if (newest === undefined || semver.gte(mine, newest)) return { kind: 'present' };
  // Builds of one version differ in what follows the plus alone: none of them is before another.
  const before = applied.filter((each) => semver.lt(each, newest)).toSorted(semver.rcompare)[0] ?? null;
  return { kind: before !== null && semver.eq(mine, before) ? 'served' : 'unserved', newest, before };
}

/**
 * Where a build stands in a database. Builds share a version until the next release, so migrations decide too: a build that
 * does not know the newest one in the books is older, whatever its version says. It is served if all it has was there.
 */
export async function standingIn(sql: Sql, upgrade: Upgrade): Promise<Standing> {
  const standing = standingAmong(await appliedReleases(sql), upgrade.release);
  if (standing.kind !== 'present' || !(await hasNewerMigration(sql, upgrade.migrations))) return standing;
  const missing = await missingMigrations(sql, upgrade.migrations);
  const served = missing.length === 0 && (await haveBeenApplied(sql, upgrade.functions));
  return { kind: served ? 'served' : 'unserved', newest: null, before: null };
}

/** What is said of a database after `migrate`: `up to date`, or which newer release it belongs to. */
export function describeStanding(standing: Standing): string {
  if (standing.kind === 'present') return 'up to date';
  const owner = standing.newest === null ? 'a newer build' : `release ${standing.newest}, which is newer`;
  return `left as it is: it belongs to ${owner} and serves this one (${release})`;
}

async function appliedReleases(sql: Sql): Promise<readonly string[]> {
  const [books] = await sql<{ exist: boolean }[]>`select to_regclass('sql_releases') is not null as exist`;
  if (!books?.exist) return [];
  const applied = await sql<{ release: string }[]>`select release from sql_releases`;
  return applied.map((row) => row.release);
}

/** Records that the database has the functions of this release. */
export async function recordRelease(tx: Sql, mine = release): Promise<void> {
  await tx`insert into sql_releases (release) values (${mine}) on conflict do nothing`;
}

/** The database belongs to a build that does not serve this one. Trying again does not help. */
export class OlderRelease extends Error {
  constructor(mine: string, { newest, before }: Exclude<Standing, { kind: 'present' }>) {
    const [found, remedy] =
      newest === null
        ? [`migrations that are newer than this build of ${mine}`, 'Start a newer build']
        : [
            `the SQL functions of release ${newest}, which serve ${before === null ? 'no release before it' : `${before} and later`}; this is ${mine}`,
            `Start release ${newest}`,
          ];
    super(`the database has ${found}. ${remedy}, or see "Going back" in docs/OPERATIONS.md`);
    this.name = 'OlderRelease';
  }
}
