/** Plans a replenishment: decides from current data what to order for a SKU at a location, and records it. */
import { type Refusal, refusal } from '../../domain/errors.js';
import { detailOf } from '../../domain/refusals.js';
import { isLow, type PlanResult, quantityToOrder, type SupplyTerms } from '../../domain/replenishment.js';
import type { Sql } from '../postgres/client.js';

export interface PlanRequest {
  /** `rpl_…`, fixed by the caller. */
  readonly replenishmentId: string;
  readonly sku: string;
  readonly location: string;
  /** `level`: order only if the level is low. */
  readonly cause: 'level' | 'request';
  /** A replenishment that failed less than this ago keeps a low level from ordering again. */
  readonly coolOffSeconds: number;
}

/** A plan that races another, or loses its row between two statements, settles within a few rounds. */
const maxRounds = 5;

/**
 * Decides what to order and records it as a running replenishment. A repeated request, or any request while one is
 * running, returns the running one.
 */
export async function planReplenishment(sqlClient: Sql, request: PlanRequest): Promise<PlanResult> {
  for (let round = 1; round <= maxRounds; round++) {
    const known = await findKnown(sqlClient, request);
    if (known) return known;
    const facts = await readFacts(sqlClient, request);
    const decided = decide(facts, request);
    if (decided.kind !== 'order') return decided;
    const { supplier, unitPrice } = decided.terms;
    const [row] = await sqlClient`
      insert into replenishments (id, sku, location, status, quantity, supplier_id, unit_price_amount, unit_price_currency,
                                  created_at)
      values (${request.replenishmentId}, ${request.sku}, ${request.location}, 'running', ${decided.quantity},
              ${supplier.id}, ${unitPrice.amount}, ${unitPrice.currency},
              coalesce((select created_at from replenishment_requests where id = ${request.replenishmentId}), clock_timestamp()))
          on conflict do nothing returning id`;
    if (!row) continue;
    const { replenishmentId: id, sku, location } = request;
    const planned = { id, sku, location, quantity: decided.quantity, unitPrice, supplierId: supplier.id };
    return {
      kind: 'running',
      replenishment: { ...planned, supplierUrl: facts?.supplierUrl ?? null, purchaseOrder: null, adopted: false },
    };
  }
  throw new Error(`replenishment ${request.replenishmentId} could not be planned in ${maxRounds} rounds`);
}

interface KnownRow {
  readonly id: string;
  readonly status: string;
  readonly quantity: number;
  readonly amount: number;
  readonly currency: string;
  readonly supplierId: string;
  readonly supplierUrl: string | null;
  readonly orderId: string | null;
  readonly supplierOrderId: string | null;
  readonly orderStatus: string | null;
  readonly orderedAt: string | null;
}

/** The replenishment with this id, or else the running one for this SKU and location. */
async function findKnown(sqlClient: Sql, { replenishmentId, sku, location }: PlanRequest): Promise<PlanResult | null> {
  const [row] = await sqlClient<KnownRow[]>`
    select r.id, r.status, r.quantity::float8, r.unit_price_amount::float8 as amount, r.unit_price_currency as currency,
           r.supplier_id as "supplierId", s.url as "supplierUrl", o.id as "orderId",
           o.supplier_order_id as "supplierOrderId", o.status as "orderStatus", rfc3339(o.created_at) as "orderedAt"
      from replenishments r
      join suppliers s on s.id = r.supplier_id
      left join purchase_orders o on o.id = r.purchase_order_id
     where r.id = ${replenishmentId} or (r.sku = ${sku} and r.location = ${location} and r.status = 'running')
     order by r.id = ${replenishmentId} desc limit 1`;
  if (!row) return null;
  if (row.status !== 'running') return { kind: 'ended' };
  const { id, quantity, supplierId, supplierUrl, orderId, supplierOrderId, orderedAt } = row;
  const purchaseOrder =
    orderId !== null && supplierOrderId !== null && orderedAt !== null
      ? { id: orderId, supplierOrderId, orderedAt, shipped: row.orderStatus === 'shipped' }
      : null;
  const unitPrice = { amount: row.amount, currency: row.currency };
  return {
    kind: 'running',
    replenishment: { id, sku, location, quantity, unitPrice, supplierId, supplierUrl, purchaseOrder, adopted: true },
  };
}

interface Facts {
  readonly status: string;
  readonly reorderPoint: number | null;
  readonly maxStock: number | null;
  readonly amount: number | null;
  readonly currency: string | null;
  readonly supplierId: string | null;
  readonly active: boolean;
  readonly minOrderQuantity: number;
  readonly maxOrderQuantity: number;
  readonly supplierUrl: string | null;
  readonly locationKnown: boolean;
  readonly onHand: number;
  readonly onOrder: number;
  readonly failedRecently: boolean;
}

async function readFacts(sqlClient: Sql, { sku, location, coolOffSeconds }: PlanRequest): Promise<Facts | undefined> {
  const [facts] = await sqlClient<Facts[]>`
    select p.status, p.reorder_point::float8 as "reorderPoint", p.max_stock::float8 as "maxStock",
           p.supplier_price_amount::float8 as amount, p.supplier_price_currency as currency,
           s.id as "supplierId", coalesce(s.active, false) as active,
           coalesce(s.min_order_quantity, 0)::float8 as "minOrderQuantity",
           coalesce(s.max_order_quantity, 0)::float8 as "maxOrderQuantity", s.url as "supplierUrl",
           exists (select from locations where code = ${location} and not virtual) as "locationKnown",
           coalesce((select on_hand from stock_levels l where l.sku = p.sku and l.location = ${location}), 0)::float8
             as "onHand",
           coalesce((select sum(quantity) from purchase_orders o
                      where o.sku = p.sku and o.location = ${location} and o.status in ('ordered', 'shipped')), 0)::float8
             as "onOrder",
           exists (select from replenishments r
                    where r.sku = p.sku and r.location = ${location} and r.status = 'failed'
                      and r.updated_at > now() - make_interval(secs => ${coolOffSeconds}))
             as "failedRecently"
      from products p left join suppliers s on s.id = p.supplier_id
     where p.sku = ${sku}`;
  return facts;
}

type Decision =
  | {
      readonly kind: 'order';
      readonly quantity: number;
      readonly terms: {
        readonly supplier: NonNullable<SupplyTerms['supplier']>;
        readonly unitPrice: NonNullable<SupplyTerms['unitPrice']>;
      };
    }
  | { readonly kind: 'quiet' }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

function decide(facts: Facts | undefined, { sku, location, cause }: PlanRequest): Decision {
  if (!facts) return { kind: 'refused', refusal: refusal('unknown_sku', detailOf('unknown_sku', { sku })) };
  if (!facts.locationKnown)
    return { kind: 'refused', refusal: refusal('unknown_location', detailOf('unknown_location', { location })) };
  const isDue = facts.status === 'active' && isLow(facts, facts.reorderPoint) && !facts.failedRecently;
  if (cause === 'level' && !isDue) return { kind: 'quiet' };
  const { amount, currency, supplierId: id, active, minOrderQuantity, maxOrderQuantity } = facts;
  const supplier = id === null ? null : { id, active, minOrderQuantity, maxOrderQuantity };
  const unitPrice = amount === null || currency === null ? null : { amount, currency };
  const planned = quantityToOrder(sku, facts, { maxStock: facts.maxStock, unitPrice, supplier });
  if (planned.kind === 'refused') return planned;
  if (supplier === null || unitPrice === null)
    throw new Error(`the order of ${sku} was planned without a supplier or a price`);
  return { kind: 'order', quantity: planned.quantity, terms: { supplier, unitPrice } };
}
