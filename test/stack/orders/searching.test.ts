/** Operators can search orders in the Temporal Web UI by current status, customer, SKU and total. */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import { eventually } from '../../shop.js';
import { temporal } from '../../temporal.js';

const shop = sharedShop();

/** Waits until the query finds exactly this order, since the server's index lags a moment behind. */
async function isFound(orderId: string, query: string): Promise<void> {
  const { workflow } = await temporal();
  await eventually(`${query} to find the order`, async () => {
    const found: string[] = [];
    for await (const { workflowId } of workflow.list({ query })) found.push(workflowId);
    expect(found).toEqual([`order/${orderId}`]);
    return true;
  });
}

test('a confirmed order is found by each of its attributes', async () => {
  const sku = await shop.product(5, 1234);
  const customer = `cus_${randomUUID().slice(0, 8)}`;
  const { body } = await shop.order({
    lines: [{ sku, quantity: 2 }],
    customer: { id: customer },
    payment: { cardToken: 'tok_visa' },
    confirm: true,
  });
  expect(body.status).toBe('confirmed');
  await isFound(
    body.id,
    `Sku = '${sku}' AND OrderStatus = 'confirmed' AND Total = 2468 AND CustomerId = '${customer}'`,
  );
});

test('an order whose card was refused is found as reserved', async () => {
  const sku = await shop.product(5);
  const { body } = await shop.order({
    lines: [{ sku, quantity: 1 }],
    payment: { cardToken: 'tok_declined' },
    confirm: true,
  });
  await isFound(body.orderId, `Sku = '${sku}' AND OrderStatus = 'reserved' AND Total = 1000`);
});

test('a line added later can be searched for and counts in the total', async () => {
  const [first, second] = [await shop.product(5, 300), await shop.product(5, 40)];
  const { body } = await shop.must(201, shop.order({ lines: [] }));
  const line = (sku: string) => shop.must(201, shop.post(`/api/orders/${body.id}/lines`, { sku, quantity: 1 }));
  await line(first);
  await isFound(body.id, `Sku = '${first}' AND OrderStatus = 'reserved' AND Total = 300`);
  await line(second);
  await isFound(body.id, `Sku = '${second}' AND OrderStatus = 'reserved' AND Total = 340`);
  await shop.must(200, shop.cancel(body.id));
  await isFound(body.id, `Sku = '${first}' AND OrderStatus = 'cancelled' AND Total = 340`);
});
