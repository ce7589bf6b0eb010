/** Reviews: cases that need a person. */
import { and, desc, eq, lte, sql } from 'drizzle-orm';
import type { ReviewResolution, ReviewStatus } from '../../domain/reviews.js';
import type { AskedBy } from '../../domain/steps.js';
import { audited } from '../audit/audit.js';
import type { Database, Sql } from '../postgres/client.js';
import { behind, type Cursor, type Page, pageOf } from '../postgres/page.js';
import { manualReviews } from '../schema/index.js';

/** A stored review. */
export type ReviewRow = typeof manualReviews.$inferSelect;

/** A review to open. `workflowId`: the workflow that waits for the decision; null if none does. */
export type NewReview = Pick<ReviewRow, 'id' | 'kind' | 'subject' | 'detail' | 'attempts' | 'lastError' | 'workflowId'>;

/** Opens a review; the same id again changes nothing. */
export async function openReview(db: Database, review: NewReview): Promise<void> {
  await db.insert(manualReviews).values(review).onConflictDoNothing();
}

/** Opens each review whose subject has no open review of the same kind. */
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

/** Closes a review; a closed one stays unchanged. Returns whether this call closed it. */
export async function closeReview(db: Database, id: string, resolution: ReviewResolution): Promise<boolean> {
  const closed = await db
    .update(manualReviews)
    .set({ status: 'resolved', resolution })
    .where(and(eq(manualReviews.id, id), eq(manualReviews.status, 'open')))
    .returning({ id: manualReviews.id });
  return closed.length > 0;
}

/** Closes a review by a person, and reports the decision; a closed one stays unchanged. */
export async function closeReviewBy(
  db: Database,
  id: string,
  { resolution, note, at }: Pick<ReviewResolution, 'resolution' | 'note' | 'at'>,
  by: AskedBy,
): Promise<void> {
  const closed: ReviewResolution = { by: 'person', resolution, note, actor: by.actor, at };
  const report = audited({ by, action: 'review.done', subject: `review/${id}` });
  const mine = await db
    .update(manualReviews)
    .set({ status: 'resolved', resolution: closed })
    .where(and(eq(manualReviews.id, id), eq(manualReviews.status, 'open')))
    .returning({ audited: report });
  if (mine.length > 0) return;
  // The saga has heard of the decision and closed the review with it: that is reported once.
  await db.execute(sql`
    select ${report} from manual_reviews m
     where m.id = ${id} and m.resolution->>'by' = 'person' and m.resolution->>'resolution' = 'done'
       and not exists (select from audit_log a where a.subject = ${`review/${id}`} and a.action = 'review.done')`);
}

/**
 * Closes the reviews of a workflow that another run resumes.
 * @param until RFC 3339: the end of the lost run; reviews opened later are the new run's
 */
export async function closeReviewsOf(db: Database, workflowId: string, until: string): Promise<void> {
  const resolution: ReviewResolution = {
    by: 'success',
    resolution: 'succeeded',
    note: 'the workflow was lost and is resumed; a step that still fails opens another review',
    actor: `workflow:${workflowId}`,
    at: new Date().toISOString(),
  };
  await db
    .update(manualReviews)
    .set({ status: 'resolved', resolution })
    .where(
      and(
        eq(manualReviews.workflowId, workflowId),
        eq(manualReviews.status, 'open'),
        lte(manualReviews.createdAt, until),
      ),
    );
}

export async function getReview(db: Database, id: string): Promise<ReviewRow | null> {
  const [row] = await db.select().from(manualReviews).where(eq(manualReviews.id, id));
  return row ?? null;
}

export async function listReviews(
  db: Database,
  query: { status?: ReviewStatus | undefined; limit: number; cursor: Cursor | null },
): Promise<Page<ReviewRow>> {
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
  return pageOf('reviews', rows, query.limit, (row) => ({ at: row.createdAt, id: row.id }));
}
