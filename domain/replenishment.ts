/** How much is ordered of what runs short, and when. Pure arithmetic over figures that were read a moment ago. */
import { type Refusal, refusal, type SupplierFailureCode } from './errors.js';
import { maxMinorUnits } from './limits.js';

/** How a replenishment may fail: a supplier's way of saying no, or somebody who called it off. */
type ReplenishmentFailureCode = SupplierFailureCode | 'cancelled';

export const replenishmentStatuses = ['running', 'completed', 'failed'] as const;
export type ReplenishmentStatus = (typeof replenishmentStatuses)[number];
export const purchaseOrderStatuses = ['ordered', 'shipped', 'delivered', 'cancelled', 'failed'] as const;
export type PurchaseOrderStatus = (typeof purchaseOrderStatuses)[number];

export interface ReplenishmentFailure {
  readonly code: ReplenishmentFailureCode;
  readonly detail: string;
}

/** A replenishment that runs: what was decided when it was planned, and its purchase order once there is one. */
export interface RunningReplenishment {
  readonly id: string;
  readonly sku: string;
  readonly location: string;
  readonly quantity: number;
  readonly unitPrice: { readonly amount: number; readonly currency: string };
  readonly supplierId: string;
  /** Where the supplier is asked; null: the sandbox. */
  readonly supplierUrl: string | null;
  readonly purchaseOrder: PlacedOrder | null;
  /** Whether it was begun by another run of the workflow, which may have placed the order already. */
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
 * - `running`: go on with this one. Where another runs for the SKU and location already, it is that one.
 * - `ended`: the one of this id is over: an earlier run has carried it out.
 * - `quiet`: the level does not ask for anything, or asked in vain a moment ago.
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

/** What is known of how a product is come by; null: not said. */
export interface SupplyTerms {
  /** What it is filled up to. */
  readonly maxStock: number | null;
  /** What the supplier takes for one, in minor units. */
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
 * How much to order: what lacks to the maximum, at least the supplier's minimum, at most the supplier's maximum, and never
 * for more than one amount of money can be (`maxMinorUnits`).
 * Refuses with `supplier_not_configured` (which names what is missing), `supplier_inactive`, and `nothing_to_order` where
 * on hand and on order reach the maximum already: the supplier's minimum is no reason to order then.
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

/** Whether a level asks for more by itself. A product without a reorder point never does. */
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
