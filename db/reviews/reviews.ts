/** The queue of cases that a person must look at. */
import { and, desc, eq } from 'drizzle-orm';
import type { Database, Sql } from '../postgres/client.js';
import { behind, type Cursor, type Page, pageOf } from '../postgres/page.js';
import { rfc3339 } from '../postgres/time.js';
import { manualReviews } from '../schema/index.js';

export interface ReviewView {
  readonly id: string;
  readonly kind: string;
  readonly subject: string;
  readonly detail: unknown;
  readonly status: string;
  readonly attempts: number;
  readonly lastError: string | null;
  readonly createdAt: string;
  readonly resolution: unknown;
}

/** How a case ended. `success`: a retry succeeded, and nobody decided anything. */
export interface ReviewResolution {
  readonly by: 'person' | 'success';
  readonly resolution: 'retry' | 'done' | 'succeeded';
  readonly note: string | null;
  readonly actor: string;
  readonly at: string;
}

export interface NewReview {
  readonly id: string;
  readonly kind:
    | 'compensation_failed'
    | 'step_failed'
    | 'mail_undeliverable'
    | 'delivery_overdue'
    | 'sweep_failed'
    | 'saga_lost';
  readonly subject: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly attempts: number;
  readonly lastError: string | null;
  /** The workflow that waits for the decision; null where none does. */
  readonly workflowId: string | null;
}

type ReviewRow = typeof manualReviews.$inferSelect;

function view(row: ReviewRow): ReviewView {
  return {
    id: row.id,
    kind: row.kind,
    subject: row.subject,
    detail: row.detail,
    status: row.status,
    attempts: row.attempts,
    lastError: row.lastError,
    createdAt: rfc3339(row.createdAt),
    resolution: row.resolution,
  };
}

/** Opens a case; the same id again changes nothing. */
export async function openReview(db: Database, review: NewReview): Promise<void> {
  await db.insert(manualReviews).values(review).onConflictDoNothing();
}

/** Opens cases about subjects that have none open of the same kind. */
export async function openReviewsOnce(sqlClient: Sql, reviews: readonly NewReview[]): Promise<void> {
  if (reviews.length === 0) return;
  await sqlClient`
    insert into manual_reviews (id, kind, subject, detail, attempts, last_error, workflow_id)
    select r->>'id', r->>'kind', r->>'subject', r->'detail', (r->>'attempts')::int, r->>'lastError', r->>'workflowId'
      from jsonb_array_elements(${JSON.stringify(reviews)}::text::jsonb) as x(r)
     where not exists (select from manual_reviews m
                        where m.status = 'open' and m.kind = r->>'kind' and m.subject = r->>'subject')
        on conflict do nothing`;
}

/** Closes a case; one that is closed stays as it is. Returns whether this call closed it. */
export async function closeReview(db: Database, id: string, resolution: ReviewResolution): Promise<boolean> {
  const closed = await db
    .update(manualReviews)
    .set({ status: 'resolved', resolution })
    .where(and(eq(manualReviews.id, id), eq(manualReviews.status, 'open')))
    .returning({ id: manualReviews.id });
  return closed.length > 0;
}

/** Closes the open cases of a workflow that is resumed by another run. */
export async function closeReviewsOf(db: Database, workflowId: string): Promise<void> {
  const resolution: ReviewResolution = {
    by: 'success',
    resolution: 'succeeded',
    note: 'the workflow was lost and is resumed; what still fails opens another case',
    actor: `workflow:${workflowId}`,
    at: new Date().toISOString(),
  };
  await db
    .update(manualReviews)
    .set({ status: 'resolved', resolution })
    .where(and(eq(manualReviews.workflowId, workflowId), eq(manualReviews.status, 'open')));
}

export async function getReview(
  db: Database,
  id: string,
): Promise<{ review: ReviewView; workflowId: string | null } | null> {
  const [row] = await db.select().from(manualReviews).where(eq(manualReviews.id, id));
  return row ? { review: view(row), workflowId: row.workflowId } : null;
}

export async function listReviews(
  db: Database,
  query: { status?: string | undefined; limit: number; cursor: Cursor | null },
): Promise<Page<ReviewView>> {
  const rows = await db
    .select()
    .from(manualReviews)
    .where(
      and(
        query.status === undefined ? undefined : eq(manualReviews.status, query.status),
        behind(manualReviews.createdAt, manualReviews.id, query.cursor),
      ),
    )
    .orderBy(desc(manualReviews.createdAt), desc(manualReviews.id))
    .limit(query.limit + 1);
  return pageOf('reviews', rows, query.limit, (row) => ({ at: row.createdAt, id: row.id }), view);
}
