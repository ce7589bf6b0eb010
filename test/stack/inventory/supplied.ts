/** Products that are reordered. */
import { randomUUID } from 'node:crypto';
import type { Shop } from '../../shop.js';

export { eventually } from '../../shop.js';

/** Creates a product with its own supplier. Returns its SKU. */
export async function newSku(
  shop: Shop,
  { stock, reorderPoint, maxStock = 1000 }: { stock: number; reorderPoint: number; maxStock?: number },
): Promise<string> {
  const sku = `T-${randomUUID().slice(0, 13)}`;
  const supplier = { name: 'Test supplier', active: true, minOrderQuantity: 1, maxOrderQuantity: 1000 };
  const { body } = await shop.must(201, shop.post('/api/suppliers', supplier));
  await shop.must(
    201,
    shop.post('/api/products', {
      sku,
      name: 'Supplied',
      price: { amount: 1000, currency: 'USD' },
      reorderPoint,
      maxStock,
      supplierId: body.id,
      supplierPrice: { amount: 400, currency: 'USD' },
    }),
  );
  if (stock > 0) await shop.must(201, shop.post(`/api/inventory/${sku}/receipts`, { quantity: stock }));
  return sku;
}
