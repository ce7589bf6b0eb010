/** Products and locations. Every call is one round trip. */
import { and, desc, eq, getTableColumns, inArray, not, sql } from 'drizzle-orm';
import type { Currency } from '../../domain/money.js';
import type { AskedBy } from '../../domain/steps.js';
import { audited, changedFields, inserted } from '../audit/audit.js';
import { type Database, preparedOnce, type Sql } from '../postgres/client.js';
import { violatedConstraint } from '../postgres/constraints.js';
import { behind, type Cursor, type Page, pageOf } from '../postgres/page.js';
import { locations, products } from '../schema/index.js';

/** A stored product, with prices in minor units. */
export type ProductRow = typeof products.$inferSelect;
export type LocationRow = typeof locations.$inferSelect;

export interface NewProduct extends Pick<ProductRow, 'sku' | 'name' | 'status'> {
  readonly price: Price;
  /** Replenish when on hand plus on order is at or below this; null: only on request. */
  readonly reorderPoint: number | null;
  /** Replenishment fills the stock up to this. */
  readonly maxStock: number | null;
  readonly supplierId: string | null;
  /** The supplier's price for one unit. */
  readonly supplierPrice: Price | null;
  /** The operation that creates the row, so that a repeated create recognizes it. */
  readonly createdBy: string;
}

interface Price {
  /** Minor units. */
  readonly amount: number;
  readonly currency: Currency;
}

/** An absent field keeps its value; null clears it. */
export type ProductPatch = {
  readonly [Member in Exclude<keyof NewProduct, 'sku' | 'createdBy'>]?: NewProduct[Member] | undefined;
};

/** Why a product was not written. `levels`: its maximum stock would be below its reorder point. */
export interface ProductConflict {
  readonly kind: 'already_exists' | 'not_found' | 'unknown_supplier' | 'levels';
}

export type ProductChange = { readonly kind: 'product'; readonly product: ProductRow } | ProductConflict;

export type NewLocation = Pick<LocationRow, 'code' | 'name' | 'createdBy'>;

interface PageQuery {
  readonly limit: number;
  readonly cursor: Cursor | null;
}

/** The new product, or the one that this operation created before. */
export function createProduct(
  db: Database,
  { price, supplierPrice, ...product }: NewProduct,
  by: AskedBy,
): Promise<ProductChange> {
  const values = {
    ...product,
    priceAmount: price.amount,
    priceCurrency: price.currency,
    supplierPriceAmount: supplierPrice?.amount ?? null,
    supplierPriceCurrency: supplierPrice?.currency ?? null,
  };
  return changed('already_exists', () =>
    db
      .insert(products)
      .values(values)
      // Updates nothing: only an update returns the existing row.
      .onConflictDoUpdate({
        target: products.sku,
        set: { createdBy: sql`excluded.created_by` },
        setWhere: sql`${products.createdBy} = excluded.created_by`,
      })
      .returning({
        ...getTableColumns(products),
        audited: audited({ by, action: 'product.created', subject: `product/${product.sku}` }, inserted),
      }),
  );
}

/** Turns violated constraints into results. `none`: the result when no row was written. */
async function changed(
  none: ProductConflict['kind'],
  write: () => Promise<readonly ProductRow[]>,
): Promise<ProductChange> {
  try {
    const [row] = await write();
    return row ? { kind: 'product', product: row } : { kind: none };
  } catch (error) {
    switch (violatedConstraint(error)) {
      case 'products_supplier_id_suppliers_id_fk':
        return { kind: 'unknown_supplier' };
      case 'products_levels':
        return { kind: 'levels' };
      default:
        throw error;
    }
  }
}

export async function getProduct(db: Database, sku: string): Promise<ProductRow | null> {
  const [product] = await findProducts(db, [sku]);
  return product ?? null;
}

const bySku = preparedOnce((db) =>
  db
    .select()
    .from(products)
    .where(sql`${products.sku} = any(${sql.placeholder('skus')})`)
    .prepare('products'),
);

/** The products with these SKUs, in no particular order; unknown SKUs are left out. */
export async function findProducts(db: Database, skus: readonly string[]): Promise<readonly ProductRow[]> {
  if (skus.length === 0) return [];
  return await bySku(db).execute({ skus });
}

/** What a stock operation needs to know about a product: whether it is sold, and when to replenish it. */
export type ProductTerms = Pick<ProductRow, 'sku' | 'status' | 'reorderPoint' | 'supplierId'>;

/**
 * The terms of these SKUs, in no particular order; unknown SKUs are left out. One statement serves any number of them.
 */
export async function findProductTerms(sqlClient: Sql, skus: readonly string[]): Promise<readonly ProductTerms[]> {
  if (skus.length === 0) return [];
  return sqlClient<ProductTerms[]>`
    select sku, status, reorder_point::float8 as "reorderPoint", supplier_id as "supplierId"
      from products where sku = any(${skus as string[]})`;
}

/** Newest first. */
export async function listProducts(db: Database, { limit, cursor }: PageQuery): Promise<Page<ProductRow>> {
  const rows = await db
    .select()
    .from(products)
    .where(behind(products.createdAt, products.sku, cursor))
    .orderBy(desc(products.createdAt), desc(products.sku))
    .limit(limit + 1);
  return pageOf('products', rows, limit, (row) => ({ at: row.createdAt, id: row.sku }));
}

/** Changes the given fields. The rules apply to the resulting product. */
export function patchProduct(db: Database, sku: string, patch: ProductPatch, by: AskedBy): Promise<ProductChange> {
  const { price, supplierPrice, ...rest } = patch;
  const values = {
    ...rest,
    ...(price !== undefined && { priceAmount: price.amount, priceCurrency: price.currency }),
    ...(supplierPrice !== undefined && {
      supplierPriceAmount: supplierPrice?.amount ?? null,
      supplierPriceCurrency: supplierPrice?.currency ?? null,
    }),
    updatedAt: now,
  };
  const change = { by, action: 'product.changed', subject: `product/${sku}`, detail: changedFields(patch) };
  return changed('not_found', () =>
    db
      .update(products)
      .set(values)
      .where(eq(products.sku, sku))
      .returning({ ...getTableColumns(products), audited: audited(change) }),
  );
}

/** The new location, or the one that this operation created before; null if another operation created it. */
export async function createLocation(db: Database, location: NewLocation, by: AskedBy): Promise<LocationRow | null> {
  const [row] = await db
    .insert(locations)
    .values(location)
    .onConflictDoUpdate({
      target: locations.code,
      set: { createdBy: sql`excluded.created_by` },
      setWhere: sql`${locations.createdBy} = excluded.created_by`,
    })
    .returning({
      ...getTableColumns(locations),
      audited: audited({ by, action: 'location.created', subject: `location/${location.code}` }, inserted),
    });
  return row ?? null;
}

/** The locations with these codes, in no particular order. Leaves out unknown codes and virtual locations. */
export async function findLocations(db: Database, codes: readonly string[]): Promise<readonly LocationRow[]> {
  if (codes.length === 0) return [];
  return await db
    .select()
    .from(locations)
    .where(and(inArray(locations.code, [...codes]), eq(locations.virtual, false)));
}

/** Newest first, without the virtual ones. */
export async function listLocations(db: Database, { limit, cursor }: PageQuery): Promise<Page<LocationRow>> {
  const rows = await db
    .select()
    .from(locations)
    .where(and(not(locations.virtual), behind(locations.createdAt, locations.code, cursor)))
    .orderBy(desc(locations.createdAt), desc(locations.code))
    .limit(limit + 1);
  return pageOf('locations', rows, limit, (row) => ({ at: row.createdAt, id: row.code }));
}

const now = sql`clock_timestamp()`;
