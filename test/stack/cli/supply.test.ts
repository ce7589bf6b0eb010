import { describe, expect, inject, it } from 'vitest';
import { sharedShop } from '../../shared.js';
import { Supply } from '../replenishment/supply.js';
import { field, holdfast } from './holdfast.js';

const supply = new Supply(sharedShop(), inject('sandboxUrl'));

describe('holdfast replenish and po', () => {
  it('orders what is missing, and lists and shows the purchase order', async () => {
    const sku = await supply.product({ stock: 4, maxStock: 20 });
    const asked = await holdfast(['replenish', sku, '--location', 'main']);
    expect(asked).toMatchObject({ code: 0, err: '' });
    expect([field(asked.out, 'status'), field(asked.out, 'goods')]).toEqual(['running', `16 of ${sku}`]);
    await supply.ended(field(asked.out, 'replenishment') ?? '');

    const [order] = await supply.purchaseOrders(sku);
    const listed = await holdfast(['po', 'list', '--status', 'delivered', '--sku', sku]);
    expect(listed).toMatchObject({ code: 0, err: '' });
    expect(listed.out).toMatch(
      new RegExp(`^${order.id} +delivered +${sku} +16 +49\\.60 USD +${order.supplierId} +\\d{4}-`, 'm'),
    );
    expect((await holdfast(['po', 'list', '--status', 'failed', '--sku', sku])).out).not.toContain(order.id);

    const shown = await holdfast(['po', 'show', order.id]);
    expect(field(shown.out, 'supplier order')).toBe(order.supplierOrderId);
    expect(field(shown.out, 'price')).toBe('3.10 USD each, 49.60 USD in all');
    expect(JSON.parse((await holdfast(['--json', 'po', 'show', order.id])).out)).toEqual(order);
  });

  it('says why nothing is ordered, and exits 1', async () => {
    const full = await holdfast(['replenish', await supply.product({ stock: 20, maxStock: 20 })]);
    expect(full).toMatchObject({ code: 1, out: '' });
    expect(full.err).toMatch(/^nothing_to_order: /);
    expect((await holdfast(['po', 'show', 'po_none'])).err).toMatch(/^not_found: /);
    expect(await holdfast(['po', 'list', '--status', 'lost'])).toMatchObject({ code: 2, out: '' });
  });
});
