/** Helpers for orders that lack stock. */
import { expect } from 'vitest';
import { sharedShop } from '../../shared.js';
import { eventually, type OrderRequest } from '../../shop.js';

const shop = sharedShop();

/** An order of 5 of a SKU. */
export const five = (sku: string, more: OrderRequest = {}) => shop.order({ lines: [{ sku, quantity: 5 }], ...more });

/** An order of 5 that waits for its supplier. Returns its id. */
export async function waiting(sku: string, more: OrderRequest = {}): Promise<string> {
  const { body } = await shop.must(201, five(sku, more));
  expect(body.status).toBe('awaiting_restock');
  return body.id;
}

export async function until(id: string, status: string): Promise<void> {
  await eventually(`the order to be ${status}`, async () => (await shop.statusOf(id)) === status);
}

export const asked = async (sku: string): Promise<string[]> =>
  (await shop.supplierCalls(sku)).map(({ kind, outcome }) => `${kind}: ${outcome}`);

interface Movement {
  readonly kind: string;
  readonly onHandDelta: number;
  readonly reference: string | null;
}
export const received = async (sku: string): Promise<Movement[]> => {
  const { body } = await shop.must(200, shop.get(`/api/inventory/${sku}/movements`));
  const movements: Movement[] = body.items;
  return movements.filter(({ kind, reference }) => kind === 'received' && reference !== null);
};

export const reasons = async (id: string): Promise<string[]> =>
  (await shop.get(`/api/orders/${id}/timeline`)).body.items.map(({ reason }: { reason: string }) => reason ?? '');
