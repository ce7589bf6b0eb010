/** Products as clients see them. */
import type { ProductRow } from '../../db/catalogue/queries.js';
import type { Product } from './schemas.js';

export function viewProduct(row: ProductRow): Product {
  const { supplierPriceAmount: amount, supplierPriceCurrency: currency } = row;
  return {
    sku: row.sku,
    name: row.name,
    price: { amount: row.priceAmount, currency: row.priceCurrency },
    status: row.status,
    reorderPoint: row.reorderPoint,
    maxStock: row.maxStock,
    supplierId: row.supplierId,
    supplierPrice: amount === null || currency === null ? null : { amount, currency },
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}
