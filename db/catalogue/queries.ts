/** Products and locations: what there is to keep stock of, and where. Every call is one round trip. */
import { and, desc, eq, inArray, not, sql } from 'drizzle-orm';
import type { Currency } from '../../domain/money.js';
import { type Database, putTogetherOnce, type Sql } from '../postgres/client.js';
import { violatedConstraint } from '../postgres/constraints.js';
import { behind, type Cursor, type Page, pageOf } from '../postgres/page.js';
import { locations, products } from '../schema/index.js';

/** A product as it is stored, its prices in minor units. */
export type ProductRow = typeof products.$inferSelect;
export type LocationRow = typeof locations.$inferSelect;

export interface NewProduct extends Pick<ProductRow, 'sku' | 'name' | 'status'> {
  readonly price: Price;
  /** On hand plus on order at or below this asks for more; null: never by itself. */
  readonly reorderPoint: number | null;
  /** What it is filled up to. */
  readonly maxStock: number | null;
  readonly supplierId: string | null;
  /** What the supplier takes for one. */
  readonly supplierPrice: Price | null;
  /** The operation that asks: one that comes again knows its own work. */
  readonly createdBy: string;
}

interface Price {
  /** Minor units. */
  readonly amount: number;
  readonly currency: Currency;
}

/** What is left out stays; null takes away. */
export type ProductPatch = {
  readonly [Member in Exclude<keyof NewProduct, 'sku' | 'createdBy'>]?: NewProduct[Member] | undefined;
};

/** Why a product cannot be so: there is no such supplier, or its maximum would be below its reorder point. */
export interface ProductConflict {
  readonly kind: 'already_exists' | 'not_found' | 'unknown_supplier' | 'levels';
}

export type ProductChange = { readonly kind: 'product'; readonly product: ProductRow } | ProductConflict;

export type NewLocation = Pick<LocationRow, 'code' | 'name' | 'createdBy'>;

interface PageQuery {
  readonly limit: number;
  readonly cursor: Cursor | null;
}

/** The new product, or the one that this same operation made before. */
export function createProduct(db: Database, { price, supplierPrice, ...product }: NewProduct): Promise<ProductChange> {
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
      // An update that changes nothing, since only that returns the row that is there.
      .onConflictDoUpdate({
        target: products.sku,
        set: { createdBy: sql`excluded.created_by` },
        setWhere: sql`${products.createdBy} = excluded.created_by`,
      })
      .returning(),
  );
}

/** Tells the constraints' refusals from errors; `none` says what it means that no row was written. */
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

const bySku = putTogetherOnce((db) =>
  db
    .select()
    .from(products)
    .where(sql`${products.sku} = any(${sql.placeholder('skus')})`)
    .prepare('products'),
);

/** Those of the SKUs that there are, in no order. */
export async function findProducts(db: Database, skus: readonly string[]): Promise<readonly ProductRow[]> {
  if (skus.length === 0) return [];
  return await bySku(db).execute({ skus });
}

/** What an operation on stock must know of a product: whether it is sold, and when more of it is asked for. */
export type ProductTerms = Pick<ProductRow, 'sku' | 'status' | 'reorderPoint' | 'supplierId'>;

/** The terms of those of the SKUs that there are, in no order. The statement is the same for any number of them. */
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

/** The product with what was named changed; the rules hold for the product as it becomes. */
export function patchProduct(db: Database, sku: string, patch: ProductPatch): Promise<ProductChange> {
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
  return changed('not_found', () => db.update(products).set(values).where(eq(products.sku, sku)).returning());
}

/** The new location, or the one that this same operation made before; null where another made it. */
export async function createLocation(db: Database, location: NewLocation): Promise<LocationRow | null> {
  const [row] = await db
    .insert(locations)
    .values(location)
    .onConflictDoUpdate({
      target: locations.code,
      set: { createdBy: sql`excluded.created_by` },
      setWhere: sql`${locations.createdBy} = excluded.created_by`,
    })
    .returning();
  return row ?? null;
}

/** Those of the codes that there are, in no order. Virtual locations are not among them. */
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
