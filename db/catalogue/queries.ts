/** Products and locations: what there is to keep stock of, and where. Every call is one round trip. */
import { and, desc, eq, inArray, not, sql } from 'drizzle-orm';
import { type Database, putTogetherOnce, type Sql } from '../postgres/client.js';
import { violatedConstraint } from '../postgres/constraints.js';
import { behind, type Cursor, type Page, pageOf } from '../postgres/page.js';
import { rfc3339 } from '../postgres/time.js';
import { locations, products } from '../schema/index.js';

interface Price {
  /** Minor units. */
  readonly amount: number;
  readonly currency: string;
}

/** How a product is come by again; null: not said. */
interface Supply {
  /** On hand plus on order at or below this asks for more; null: never by itself. */
  readonly reorderPoint: number | null;
  /** What it is filled up to. */
  readonly maxStock: number | null;
  readonly supplierId: string | null;
  /** What the supplier takes for one. */
  readonly supplierPrice: Price | null;
}

/** The product resource of the contract. Times RFC 3339, UTC. */
export interface ProductView extends Supply {
  readonly sku: string;
  readonly name: string;
  readonly price: Price;
  readonly status: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface LocationView {
  readonly code: string;
  readonly name: string;
  readonly createdAt: string;
}

export interface NewProduct extends Supply {
  readonly sku: string;
  readonly name: string;
  readonly price: Price;
  readonly status: string;
  /** The operation that asks: one that comes again knows its own work. */
  readonly createdBy: string;
}

/** What is left out stays; null takes away. */
export type ProductPatch = {
  readonly [Member in 'name' | 'price' | 'status' | keyof Supply]?: NewProduct[Member] | undefined;
};

/** Why a product cannot be so: there is no such supplier, or its maximum would be below its reorder point. */
export interface ProductConflict {
  readonly kind: 'already_exists' | 'not_found' | 'unknown_supplier' | 'levels';
}

export type ProductChange = { readonly kind: 'product'; readonly product: ProductView } | ProductConflict;

export interface NewLocation {
  readonly code: string;
  readonly name: string;
  readonly createdBy: string;
}

interface PageQuery {
  readonly limit: number;
  readonly cursor: Cursor | null;
}

function viewProduct(row: typeof products.$inferSelect): ProductView {
  return {
    sku: row.sku,
    name: row.name,
    price: { amount: row.priceAmount, currency: row.priceCurrency },
    status: row.status,
    reorderPoint: row.reorderPoint,
    maxStock: row.maxStock,
    supplierId: row.supplierId,
    supplierPrice:
      row.supplierPriceAmount !== null && row.supplierPriceCurrency !== null
        ? { amount: row.supplierPriceAmount, currency: row.supplierPriceCurrency }
        : null,
    createdAt: rfc3339(row.createdAt),
    updatedAt: rfc3339(row.updatedAt),
  };
}

function viewLocation(row: typeof locations.$inferSelect): LocationView {
  return { code: row.code, name: row.name, createdAt: rfc3339(row.createdAt) };
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
  write: () => Promise<readonly (typeof products.$inferSelect)[]>,
): Promise<ProductChange> {
  try {
    const [row] = await write();
    return row ? { kind: 'product', product: viewProduct(row) } : { kind: none };
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

export async function getProduct(db: Database, sku: string): Promise<ProductView | null> {
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
export async function findProducts(db: Database, skus: readonly string[]): Promise<readonly ProductView[]> {
  if (skus.length === 0) return [];
  const rows = await bySku(db).execute({ skus });
  return rows.map(viewProduct);
}

/** What an operation on stock must know of a product: whether it is sold, and when more of it is asked for. */
export type ProductTerms = Pick<ProductView, 'sku' | 'status' | 'reorderPoint' | 'supplierId'>;

/** The terms of those of the SKUs that there are, in no order. The statement is the same for any number of them. */
export async function findProductTerms(sqlClient: Sql, skus: readonly string[]): Promise<readonly ProductTerms[]> {
  if (skus.length === 0) return [];
  return sqlClient<ProductTerms[]>`
    select sku, status, reorder_point::float8 as "reorderPoint", supplier_id as "supplierId"
      from products where sku = any(${skus as string[]})`;
}

/** Newest first. */
export async function listProducts(db: Database, { limit, cursor }: PageQuery): Promise<Page<ProductView>> {
  const rows = await db
    .select()
    .from(products)
    .where(behind(products.createdAt, products.sku, cursor))
    .orderBy(desc(products.createdAt), desc(products.sku))
    .limit(limit + 1);
  return pageOf('products', rows, limit, (row) => ({ at: row.createdAt, id: row.sku }), viewProduct);
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
export async function createLocation(db: Database, location: NewLocation): Promise<LocationView | null> {
  const [row] = await db
    .insert(locations)
    .values(location)
    .onConflictDoUpdate({
      target: locations.code,
      set: { createdBy: sql`excluded.created_by` },
      setWhere: sql`${locations.createdBy} = excluded.created_by`,
    })
    .returning();
  return row ? viewLocation(row) : null;
}

/** Those of the codes that there are, in no order. Virtual locations are not among them. */
export async function findLocations(db: Database, codes: readonly string[]): Promise<readonly LocationView[]> {
  if (codes.length === 0) return [];
  const rows = await db
    .select()
    .from(locations)
    .where(and(inArray(locations.code, [...codes]), eq(locations.virtual, false)));
  return rows.map(viewLocation);
}

/** Newest first, without the virtual ones. */
export async function listLocations(db: Database, { limit, cursor }: PageQuery): Promise<Page<LocationView>> {
  const rows = await db
    .select()
    .from(locations)
    .where(and(not(locations.virtual), behind(locations.createdAt, locations.code, cursor)))
    .orderBy(desc(locations.createdAt), desc(locations.code))
    .limit(limit + 1);
  return pageOf('locations', rows, limit, (row) => ({ at: row.createdAt, id: row.code }), viewLocation);
}

const now = sql`clock_timestamp()`;
