/** The audit log: who did what, when and with which outcome. Rows are written by the SQL function `audit` alone. */
import { and, desc, eq, gte, lt, type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import type { AskedBy } from '../../domain/steps.js';
import type { Database } from '../postgres/client.js';
import { behind, type Cursor, type Page, pageOf } from '../postgres/page.js';
import { auditLog } from '../schema/index.js';

export type AuditRow = typeof auditLog.$inferSelect;

/** What to report. Never card data, personal data, or free text of a client. */
export interface AuditEntry {
  readonly by: AskedBy;
  /** `product.created`, … */
  readonly action: string;
  /** Kind and id: `product/TSHIRT-M`. */
  readonly subject: string | SQLWrapper;
  /** Default: `done`. */
  readonly outcome?: string;
  /** Codes, ids, names of fields and figures. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/**
 * A call of `audit`, for the `returning` of the statement whose change it reports: Postgres writes both or neither.
 * @param where reports only rows for which this holds
 */
export function audited({ by, action, subject, outcome = 'done', detail = {} }: AuditEntry, where?: SQL): SQL<null> {
  const call = sql`audit(${by.actor}, ${action}, ${subject}, ${outcome}, ${by.requestId}, ${JSON.stringify(detail)}::text::jsonb)`;
  // Text, since the driver knows no value of type void.
  return where === undefined ? sql<null>`${call}::text` : sql<null>`case when ${where} then ${call}::text end`;
}

/** Whether `insert … on conflict do update` has inserted the row, and not updated it. */
export const inserted = sql`xmax = 0`;

/** The names of the fields that a change sets. */
export function changedFields(patch: object): { readonly fields: readonly string[] } {
  return { fields: Object.entries(patch).flatMap(([name, value]) => (value === undefined ? [] : [name])) };
}

/** Reports something that no statement of its own has made true. */
export async function writeAudit(db: Database, entry: AuditEntry): Promise<void> {
  await db.execute(sql`select ${audited(entry)}`);
}

export interface AuditFilters {
  readonly subject?: string | undefined;
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  /** At this time or later. */
  readonly from?: string | undefined;
  /** Before this time. */
  readonly to?: string | undefined;
}

/** Newest first. */
export async function listAudit(
  db: Database,
  query: AuditFilters & { readonly limit: number; readonly cursor: Cursor | null },
): Promise<Page<AuditRow>> {
  const { subject, actor, action, from, to, limit, cursor } = query;
  const rows = await db
    .select()
    .from(auditLog)
    .where(
      and(
        subject === undefined ? undefined : eq(auditLog.subject, subject),
        actor === undefined ? undefined : eq(auditLog.actor, actor),
        action === undefined ? undefined : eq(auditLog.action, action),
        from === undefined ? undefined : gte(auditLog.at, from),
        to === undefined ? undefined : lt(auditLog.at, to),
        behind(auditLog.at, auditLog.id, cursor),
      ),
    )
    .orderBy(desc(auditLog.at), desc(auditLog.id))
    .limit(limit + 1);
  return pageOf('audit', rows, limit, (row) => ({ at: row.at, id: String(row.id) }));
}
