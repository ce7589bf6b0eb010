/** When to order from a supplier, and how much. Pure arithmetic over present figures. */
import { type Refusal, refusal, type SupplierFailureCode } from './errors.js';
import { maxMinorUnits } from './limits.js';

/** Why a replenishment fails: its supplier, or a cancellation. */
type ReplenishmentFailureCode = SupplierFailureCode | 'cancelled';

export const replenishmentStatuses = ['running', 'completed', 'failed'] as const;
export type ReplenishmentStatus = (typeof replenishmentStatuses)[number];
export const purchaseOrderStatuses = ['ordered', 'shipped', 'delivered', 'cancelled', 'failed'] as const;
export type PurchaseOrderStatus = (typeof purchaseOrderStatuses)[number];

export interface ReplenishmentFailure {
  readonly code: ReplenishmentFailureCode;
  readonly detail: string;
}

/** A running replenishment: its plan, and its purchase order once it is placed. */
export interface RunningReplenishment {
  readonly id: string;
  readonly sku: string;
  readonly location: string;
  readonly quantity: number;
  readonly unitPrice: { readonly amount: number; readonly currency: string };
  readonly supplierId: string;
  /** The supplier's address; null: the sandbox. */
  readonly supplierUrl: string | null;
  readonly purchaseOrder: PlacedOrder | null;
  /** Whether an earlier run of the workflow has started it, and may have placed the order. */
  readonly adopted: boolean;
}

export interface PlacedOrder {
  /** `po_…` */
  readonly id: string;
  /** The supplier's own number. */
  readonly supplierOrderId: string;
  readonly shipped: boolean;
  /** RFC 3339. */
  readonly orderedAt: string;
}

/**
 * - `running`: carry this replenishment out. It is the one that already runs for the SKU and location, if there is one.
 * - `ended`: an earlier run has carried the replenishment of this id out.
 * - `quiet`: the level needs nothing, or a replenishment of it failed a moment ago.
 */
export type PlanResult =
  | { readonly kind: 'running'; readonly replenishment: RunningReplenishment }
  | { readonly kind: 'ended' | 'quiet' }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export interface Level {
  readonly onHand: number;
  /** Ordered from a supplier and neither delivered nor given up. */
  readonly onOrder: number;
}

/** Replenishment settings of a product; null: not set. */
export interface SupplyTerms {
  /** The quantity that a replenishment fills up to. */
  readonly maxStock: number | null;
  /** The supplier's price of one unit, in minor units. */
  readonly unitPrice: { readonly amount: number; readonly currency: string } | null;
  readonly supplier: {
    readonly id: string;
    readonly active: boolean;
    /** Of one order. */
    readonly minOrderQuantity: number;
    readonly maxOrderQuantity: number;
  } | null;
}

export type OrderQuantity =
  | { readonly kind: 'order'; readonly quantity: number }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/**
 * How much to order: the quantity that lacks to the maximum, at least the supplier's minimum, at most the supplier's maximum,
 * and worth at most `maxMinorUnits`.
 * Refuses with `supplier_not_configured` (which names the missing settings), `supplier_inactive`, and `nothing_to_order`
 * where on hand and on order already reach the maximum, even if the supplier's minimum is not reached.
 */
export function quantityToOrder(sku: string, { onHand, onOrder }: Level, terms: SupplyTerms): OrderQuantity {
  const { supplier, maxStock, unitPrice } = terms;
  const missing = [
    ...(supplier === null ? ['supplierId'] : []),
    ...(maxStock === null ? ['maxStock'] : []),
    ...(unitPrice === null ? ['supplierPrice'] : []),
  ];
  if (supplier === null || maxStock === null || unitPrice === null)
    return refused('supplier_not_configured', `the product ${sku} has no ${missing.join(', no ')}`, { sku, missing });
  if (!supplier.active)
    return refused('supplier_inactive', `the supplier ${supplier.id} is switched off`, { supplierId: supplier.id });
  const lacking = maxStock - onHand - onOrder;
  if (lacking <= 0) {
    const detail = `on hand ${onHand} and on order ${onOrder} reach the maximum of ${maxStock}`;
    return refused('nothing_to_order', detail, { sku, onHand, onOrder, maxStock });
  }
  const payable = Math.floor(maxMinorUnits / Math.max(1, unitPrice.amount));
  const quantity = Math.min(Math.max(lacking, supplier.minOrderQuantity), supplier.maxOrderQuantity, payable);
  return { kind: 'order', quantity };
}

/** Whether a level is at or below the reorder point. Without a reorder point it never is. */
export function isLow({ onHand, onOrder }: Level, reorderPoint: number | null): boolean {
  return reorderPoint !== null && onHand + onOrder <= reorderPoint;
}

function refused(
  code: 'supplier_not_configured' | 'supplier_inactive' | 'nothing_to_order',
  detail: string,
  extensions: Readonly<Record<string, unknown>>,
): OrderQuantity {
  return { kind: 'refused', refusal: refusal(code, detail, extensions) };
}
