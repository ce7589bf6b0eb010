/** Purchase orders as clients see them. */
import type { PurchaseOrderRow } from '../../db/supply/purchase-orders.js';
import type { PurchaseOrder } from './schemas.js';

export function viewPurchaseOrder(row: PurchaseOrderRow): PurchaseOrder {
  const { sku, quantity, unitPriceAmount: amount, unitPriceCurrency: currency } = row;
  return {
    id: row.id,
    supplierId: row.supplierId,
    supplierOrderId: row.supplierOrderId,
    status: row.status,
    items: [{ sku, quantity, unitPrice: { amount, currency }, totalPrice: { amount: amount * quantity, currency } }],
    receivedAt: row.receivedAt,
  };
}
