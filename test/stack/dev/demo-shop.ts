import type { Shop } from '../../shop.js';

/** Orders one product of the demo shop. Returns the order's status, or the answer's status if there is no order. */
export async function buyFromDemoShop(shop: Shop): Promise<string> {
  const { status, body } = await shop.order({
    lines: [{ sku: 'filter-papers-100', quantity: 1 }],
    confirm: true,
    payment: { cardToken: 'tok_visa' },
  });
  return body.status ?? String(status);
}
