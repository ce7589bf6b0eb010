/** Suppliers. Every call is one round trip. */
import { desc, eq, getTableColumns, sql } from 'drizzle-orm';
import type { AskedBy } from '../../domain/steps.js';
import { audited, changedFields, inserted } from '../audit/audit.js';
import type { Database } from '../postgres/client.js';
import { violatedConstraint } from '../postgres/constraints.js';
import { behind, type Cursor, type Page, pageOf } from '../postgres/page.js';
import { suppliers } from '../schema/index.js';

/** A stored supplier. The quantities limit one order; `url` null: the sandbox. */
export type SupplierRow = typeof suppliers.$inferSelect;

type SupplierFields = Pick<SupplierRow, 'name' | 'active' | 'minOrderQuantity' | 'maxOrderQuantity' | 'url'>;

export interface NewSupplier extends SupplierFields {
  readonly id: string;
  /** The operation that creates the row, so that a repeated create recognizes it. */
  readonly createdBy: string;
}

/** An absent field keeps its value. */
export type SupplierPatch = { readonly [Field in keyof SupplierFields]?: SupplierFields[Field] | undefined };

/** `quantities`: the minimum would exceed the maximum. */
export type SupplierChange =
  | { readonly kind: 'supplier'; readonly supplier: SupplierRow }
  | { readonly kind: 'not_found' | 'quantities' };

/** The new supplier, or the one that this operation created before; null if another operation created it. */
export async function createSupplier(db: Database, supplier: NewSupplier, by: AskedBy): Promise<SupplierRow | null> {
  const [row] = await db
    .insert(suppliers)
    .values(supplier)
    // Updates nothing: only an update returns the existing row.
    .onConflictDoUpdate({
      target: suppliers.id,
      set: { createdBy: sql`excluded.created_by` },
      setWhere: sql`${suppliers.createdBy} = excluded.created_by`,
    })
    .returning({
      ...getTableColumns(suppliers),
      audited: audited({ by, action: 'supplier.created', subject: `supplier/${supplier.id}` }, inserted),
    });
  return row ?? null;
}

export async function getSupplier(db: Database, id: string): Promise<SupplierRow | null> {
  const [row] = await db.select().from(suppliers).where(eq(suppliers.id, id));
  return row ?? null;
}

/** Newest first. */
export async function listSuppliers(
  db: Database,
  { limit, cursor }: { limit: number; cursor: Cursor | null },
): Promise<Page<SupplierRow>> {
  const rows = await db
    .select()
    .from(suppliers)
    .where(behind(suppliers.createdAt, suppliers.id, cursor))
    .orderBy(desc(suppliers.createdAt), desc(suppliers.id))
    .limit(limit + 1);
  return pageOf('suppliers', rows, limit, (row) => ({ at: row.createdAt, id: row.id }));
}

/** Changes the given fields. Orders placed with a supplier that is now inactive are still delivered. */
export async function patchSupplier(
  db: Database,
  id: string,
  patch: SupplierPatch,
  by: AskedBy,
): Promise<SupplierChange> {
  const change = { by, action: 'supplier.changed', subject: `supplier/${id}`, detail: changedFields(patch) };
  try {
    const [row] = await db
      .update(suppliers)
      .set({ ...patch, updatedAt: sql`clock_timestamp()` })
      .where(eq(suppliers.id, id))
      .returning({ ...getTableColumns(suppliers), audited: audited(change) });
    return row ? { kind: 'supplier', supplier: row } : { kind: 'not_found' };
  } catch (error) {
    if (violatedConstraint(error) === 'suppliers_quantities') return { kind: 'quantities' };
    throw error;
  }
}
