/** Purchase orders: placed, shipped, received. */
import { and, desc, eq } from 'drizzle-orm';
import type { PlacedOrder, PurchaseOrderStatus, RunningReplenishment } from '../../domain/replenishment.js';
import type { Database, Sql } from '../postgres/client.js';
import { behind, type Cursor, type Page, pageOf } from '../postgres/page.js';
import { purchaseOrders } from '../schema/index.js';

/** A stored purchase order: one product, with its price in minor units. */
export type PurchaseOrderRow = typeof purchaseOrders.$inferSelect;

export type RecordedOrder = PlacedOrder & {
  /** From the plan to the order, if this call recorded it; null if it was recorded before. */
  readonly delaySeconds: number | null;
};

/**
 * Records that a replenishment's order was placed, in one statement with the replenishment, and closes the reviews
 * that were open because none could be placed. A repetition changes nothing.
 */
export async function recordPurchaseOrder(
  sqlClient: Sql,
  planned: RunningReplenishment,
  supplierOrderId: string,
  workflowId: string,
): Promise<RecordedOrder> {
  const id = purchaseOrderIdOf(planned.id);
  const resolution = { by: 'success', resolution: 'succeeded', note: null, actor: `workflow:${workflowId}` };
  await sqlClient`
    update manual_reviews
       set status = 'resolved', resolution = ${JSON.stringify(resolution)}::text::jsonb
             || jsonb_build_object('at', rfc3339(clock_timestamp()))
     where kind = 'replenishment_failed' and subject = ${workflowId} and status = 'open'`;
  const [made] = await sqlClient<{ delaySeconds: number }[]>`
    with made as (
      insert into purchase_orders (id, supplier_id, supplier_order_id, status, sku, location, quantity,
                                   unit_price_amount, unit_price_currency, replenishment_id)
      values (${id}, ${planned.supplierId}, ${supplierOrderId}, 'ordered', ${planned.sku}, ${planned.location},
              ${planned.quantity}, ${planned.unitPrice.amount}, ${planned.unitPrice.currency}, ${planned.id})
          on conflict do nothing returning id, replenishment_id)
    update replenishments r set purchase_order_id = made.id, updated_at = clock_timestamp()
      from made where r.id = made.replenishment_id
    returning extract(epoch from clock_timestamp() - r.created_at)::float8 as "delaySeconds"`;
  const [row] = await sqlClient<PlacedOrder[]>`
    select id, supplier_order_id as "supplierOrderId", status = 'shipped' as shipped, rfc3339(created_at) as "orderedAt"
      from purchase_orders where id = ${id}`;
  if (!row) throw new Error(`the purchase order ${id} was not written`);
  return { ...row, delaySeconds: made?.delaySeconds ?? null };
}

/** A replenishment orders once, so its purchase order shares its id. */
export function purchaseOrderIdOf(replenishmentId: string): string {
  return `po_${replenishmentId.slice(replenishmentId.indexOf('_') + 1)}`;
}

/** Records that the supplier has shipped the order. An order that is delivered or given up stays unchanged. */
export async function markShipped(sqlClient: Sql, id: string): Promise<void> {
  await sqlClient`
    update purchase_orders set status = 'shipped', updated_at = clock_timestamp() where id = ${id} and status = 'ordered'`;
}

/** `closed`: the order was given up before, so nothing was received. */
export type DeliveryResult =
  | {
      readonly outcome: 'received';
      /** From the order to the receipt, if this call received it; null if it was received before. */
      readonly delaySeconds: number | null;
    }
  | { readonly outcome: 'closed'; readonly status: string };

/**
 * Receives a delivery, once however often it is reported. The function purchase_order_deliver changes stock, purchase
 * order and replenishment in one transaction.
 */
export async function receiveDelivery(sqlClient: Sql, id: string, actor: string): Promise<DeliveryResult> {
  const [row] = await sqlClient<{ result: DeliveryResult }[]>`
    select purchase_order_deliver(${id}, ${actor}) as result`;
  if (!row) throw new Error('purchase_order_deliver returned no result');
  return row.result;
}

export async function getPurchaseOrder(db: Database, id: string): Promise<PurchaseOrderRow | null> {
  const [row] = await db.select().from(purchaseOrders).where(eq(purchaseOrders.id, id));
  return row ?? null;
}

/** Newest first. */
export async function listPurchaseOrders(
  db: Database,
  query: { status?: PurchaseOrderStatus | undefined; sku?: string | undefined; limit: number; cursor: Cursor | null },
): Promise<Page<PurchaseOrderRow>> {
  const rows = await db
    .select()
    .from(purchaseOrders)
    .where(
      and(
        query.status === undefined ? undefined : eq(purchaseOrders.status, query.status),
        query.sku === undefined ? undefined : eq(purchaseOrders.sku, query.sku),
        behind(purchaseOrders.createdAt, purchaseOrders.id, query.cursor),
      ),
    )
    .orderBy(desc(purchaseOrders.createdAt), desc(purchaseOrders.id))
    .limit(query.limit + 1);
  return pageOf('purchase_orders', rows, query.limit, (row) => ({ at: row.createdAt, id: row.id }));
}
