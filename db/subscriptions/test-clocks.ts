/** Test clocks: the time that the subscriptions on them see. Only a clock's workflow moves it. */
import { eq, sql } from 'drizzle-orm';
import type { AskedBy } from '../../domain/steps.js';
import { audited } from '../audit/audit.js';
import type { Database, Sql } from '../postgres/client.js';
import { testClocks } from '../schema/index.js';

/** A stored clock: `advancing` while it has a `target`, else `ready`. */
export type TestClockRow = typeof testClocks.$inferSelect;

export async function getTestClock(db: Database, id: string): Promise<TestClockRow | null> {
  const [row] = await db.select().from(testClocks).where(eq(testClocks.id, id));
  return row ?? null;
}

/** Makes a clock; the same id again changes nothing. @param now RFC 3339, whole seconds */
export async function createTestClock(
  db: Database,
  { id, now, by }: { id: string; now: string; by: AskedBy },
): Promise<TestClockRow> {
  const created = audited({ by, action: 'test_clock.created', subject: `test_clock/${id}`, detail: { now } });
  await db.insert(testClocks).values({ id, now }).onConflictDoNothing().returning({ audited: created });
  const row = await getTestClock(db, id);
  if (row === null) throw new Error(`test clock ${id} was not stored`);
  return row;
}

/** `busy`: it is being advanced to another time. `past`: it stands there, or later. */
export type AdvanceStart = 'started' | 'busy' | 'past' | 'absent';

/** Claims a clock for an advance. The same `to` again joins the advance that is under way. */
export async function startAdvance(db: Database, id: string, to: string): Promise<AdvanceStart> {
  const claimed = await db
    .update(testClocks)
    .set({ target: to })
    .where(
      // The clock reaches its target before the work that is due there is done.
      sql`${testClocks.id} = ${id} and (${testClocks.target} = ${to}::timestamptz
        or ${testClocks.target} is null and ${testClocks.now} < ${to}::timestamptz)`,
    )
    .returning({ id: testClocks.id });
  if (claimed.length > 0) return 'started';
  const row = await getTestClock(db, id);
  if (row === null) return 'absent';
  return row.target === null ? 'past' : 'busy';
}

/** Whether it stands at that time or later, and all that was due up to there is done. @param to RFC 3339 */
export function isPast({ now, target }: TestClockRow, to: string): boolean {
  return target === null && Date.parse(now) >= Date.parse(to);
}

/** A subscription that is due on a clock, and how many changes it has had. */
export interface DueOnClock {
  readonly id: string;
  readonly version: number;
}

/** Moves the clock on to `at`, never back. */
export async function moveClock(sqlClient: Sql, id: string, at: string): Promise<void> {
  await sqlClient`update test_clocks set now = greatest(now, ${at}::timestamptz) where id = ${id}`;
}

/** When something is next due on the clock, up to `to`; null: nothing is. */
export async function nextOnClock(sqlClient: Sql, id: string, to: string): Promise<string | null> {
  const [row] = await sqlClient<{ at: string | null }[]>`
    select to_char(min(next_at) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at
      from subscriptions where test_clock = ${id} and next_at <= ${to}::timestamptz`;
  return row?.at ?? null;
}

/** Subscriptions of the clock that are due at this time, or whose charge is under way: a lost attempt has begun it. */
export async function dueOnClock(
  sqlClient: Sql,
  id: string,
  at: string,
  limit: number,
): Promise<readonly DueOnClock[]> {
  return sqlClient<DueOnClock[]>`
    select id, version from (
      select id, version, next_at from subscriptions where test_clock = ${id} and pending is not null
      union
      (select id, version, next_at from subscriptions where test_clock = ${id} and next_at <= ${at}::timestamptz
        order by next_at, id limit ${limit})) due
     order by next_at, id limit ${limit}`;
}

/** Ends an advance, and reports it: all that was due up to its target has been done. */
export async function endAdvance(db: Database, id: string, to: string, by: AskedBy): Promise<void> {
  await db
    .update(testClocks)
    .set({ now: sql`greatest(${testClocks.now}, ${to}::timestamptz)`, target: null })
    .where(sql`${testClocks.id} = ${id} and ${testClocks.target} = ${to}::timestamptz`)
    .returning({
      audited: audited({ by, action: 'test_clock.advanced', subject: `test_clock/${id}`, detail: { to } }),
    });
}
