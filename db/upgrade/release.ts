/**
 * Which release the functions of a database belong to, and what an older one may do with it (docs/adr/0019): its functions
 * serve the release before too, so processes of both run side by side, and only the newer release changes the database.
 */
import type postgres from 'postgres';
import semver from 'semver';

/** The version of package.json, fixed in the build: a running stack stays what it was started as. */
export const release = '0.1.0';

/** A transaction, or a connection. */
type Sql = postgres.ISql;

/**
 * - `present`: no newer release has been here.
 * - `served`: a newer one has, the next after this, whose functions serve this one too.
 * - `unserved`: this one has never been here, or is older than that.
 */
export type Standing =
  | { readonly kind: 'present' }
  | { readonly kind: 'served' | 'unserved'; readonly newest: string; readonly before: string | null };

/** Where a release stands among those that a database has had. Versions are ordered as semver.org does. */
export function standingAmong(applied: readonly string[], mine: string): Standing {
  const newest = applied.toSorted(semver.rcompare)[0];
  if (newest === undefined || semver.gte(mine, newest)) return { kind: 'present' };
  // Builds of one version differ in what follows the plus alone: none of them is before another.
  const before = applied.filter((each) => semver.lt(each, newest)).toSorted(semver.rcompare)[0] ?? null;
  return { kind: before !== null && semver.eq(mine, before) ? 'served' : 'unserved', newest, before };
}

export async function standingIn(sql: Sql, mine = release): Promise<Standing> {
  const [books] = await sql<{ exist: boolean }[]>`select to_regclass('sql_releases') is not null as exist`;
  if (!books?.exist) return { kind: 'present' };
  const applied = await sql<{ release: string }[]>`select release from sql_releases`;
  return standingAmong(
    applied.map((row) => row.release),
    mine,
  );
}

/** Records that the database has the functions of this release. */
export async function recordRelease(tx: Sql, mine = release): Promise<void> {
  await tx`insert into sql_releases (release) values (${mine}) on conflict do nothing`;
}

/** The database belongs to a release that does not serve this one. Trying again does not help. */
export class OlderRelease extends Error {
  constructor(mine: string, { newest, before }: Exclude<Standing, { kind: 'present' }>) {
    super(
      `the database has the SQL functions of release ${newest}, which serve ${before === null ? 'no release before it' : `${before} and later`}; this is ${mine}. Start release ${newest}, or see "Going back" in docs/OPERATIONS.md`,
    );
    this.name = 'OlderRelease';
  }
}
