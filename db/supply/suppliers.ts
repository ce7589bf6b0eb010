/** Suppliers: who is asked for what runs short. Every call is one round trip. */
import { desc, eq, sql } from 'drizzle-orm';
import type { Database } from '../postgres/client.js';
import { violatedConstraint } from '../postgres/constraints.js';
import { behind, type Cursor, type Page, pageOf } from '../postgres/page.js';
import { suppliers } from '../schema/index.js';

/** A supplier as it is stored. Quantities are those of one order; `url` null: the sandbox. */
export type SupplierRow = typeof suppliers.$inferSelect;

type SupplierFields = Pick<SupplierRow, 'name' | 'active' | 'minOrderQuantity' | 'maxOrderQuantity' | 'url'>;

export interface NewSupplier extends SupplierFields {
  readonly id: string;
  /** The operation that asks: one that comes again knows its own work. */
  readonly createdBy: string;
}

/** What is left out stays. */
export type SupplierPatch = { readonly [Field in keyof SupplierFields]?: SupplierFields[Field] | undefined };

/** `quantities`: the least that it takes would be more than the most. */
export type SupplierChange =
  | { readonly kind: 'supplier'; readonly supplier: SupplierRow }
  | { readonly kind: 'not_found' | 'quantities' };

/** The new supplier, or the one that this same operation made before; null where another made it. */
export async function createSupplier(db: Database, supplier: NewSupplier): Promise<SupplierRow | null> {
  const [row] = await db
    .insert(suppliers)
    .values(supplier)
    // An update that changes nothing, since only that returns the row that is there.
    .onConflictDoUpdate({
      target: suppliers.id,
      set: { createdBy: sql`excluded.created_by` },
      setWhere: sql`${suppliers.createdBy} = excluded.created_by`,
    })
    .returning();
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

/** The supplier with what was named changed. What was ordered from one that is switched off now is still delivered. */
export async function patchSupplier(db: Database, id: string, patch: SupplierPatch): Promise<SupplierChange> {
  try {
    const [row] = await db
      .update(suppliers)
      .set({ ...patch, updatedAt: sql`clock_timestamp()` })
      .where(eq(suppliers.id, id))
      .returning();
    return row ? { kind: 'supplier', supplier: row } : { kind: 'not_found' };
  } catch (error) {
    if (violatedConstraint(error) === 'suppliers_quantities') return { kind: 'quantities' };
    throw error;
  }
}
