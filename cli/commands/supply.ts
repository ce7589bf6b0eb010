/** `holdfast replenish ...` and `holdfast po ...` */
import { type Command, Option } from 'commander';
import type { z } from 'zod';
import { formatMoney } from '../../domain/money.js';
import { fields, moment, table } from '../output.js';
import { listOf, purchaseOrder, replenishment } from '../resources.js';
import type { PostOptions, Session } from '../session.js';
import { code } from '../values.js';
import { type ListOptions, moreLine, segment, withKey, withPages, withWait } from './options.js';

type PurchaseOrder = z.infer<typeof purchaseOrder>;

const orderStatuses = ['ordered', 'shipped', 'delivered', 'cancelled', 'failed'];

export function addSupplyCommands(program: Command, session: Session): void {
  withWait(withKey(program.command('replenish')))
    .description('order from the supplier what lacks to the maximum, or join what is on order already')
    .argument('<sku>', 'the product', code)
    .option('--location <code>', 'where (default: main)', code)
    .action(async (sku: string, options: PostOptions & { location?: string }) => {
      const { location } = options;
      const body = { sku, ...(location !== undefined && { location }) };
      session.show(await session.post('/api/replenishments', body, options), replenishment, describeReplenishment);
    });

  const group = program.command('po').description('purchase orders: what was ordered from suppliers');
  withPages(group.command('list'))
    .description('purchase orders, newest first')
    .addOption(new Option('--status <status>', 'only these').choices(orderStatuses))
    .option('--sku <sku>', 'only of this product', code)
    .action(async (options: ListOptions & { status?: string; sku?: string }) => {
      const { status, sku, limit, cursor } = options;
      const reply = await session.get('/api/purchase-orders', { status, sku, limit, cursor });
      session.show(reply, listOf(purchaseOrder), ({ items, nextCursor }) => {
        const columns = [
          { title: 'PURCHASE ORDER' },
          { title: 'STATUS' },
          { title: 'SKU' },
          { title: 'QUANTITY', align: 'right' as const },
          { title: 'TOTAL', align: 'right' as const },
          { title: 'SUPPLIER' },
          { title: 'RECEIVED' },
        ];
        return table(columns, items.flatMap(rowsOf)) + moreLine(nextCursor);
      });
    });

  group
    .command('show')
    .description('one purchase order')
    .argument('<id>', 'the purchase order')
    .action(async (id: string) => {
      session.show(await session.get(`/api/purchase-orders/${segment(id)}`), purchaseOrder, describePurchaseOrder);
    });
}

/** One row for each item. */
function rowsOf(order: PurchaseOrder): (string | number | null)[][] {
  return order.items.map(({ sku, quantity, totalPrice }) => [
    order.id,
    order.status,
    sku,
    quantity,
    formatMoney(totalPrice),
    order.supplierId,
    order.receivedAt && moment(order.receivedAt),
  ]);
}

function describeReplenishment(found: z.infer<typeof replenishment>): string {
  return fields([
    ['replenishment', found.id],
    ['status', found.status],
    ['goods', found.quantity === null ? found.sku : `${found.quantity} of ${found.sku}`],
    ['location', found.location],
    ['purchase order', found.purchaseOrderId],
    ['failure', found.failure && `${found.failure.code}: ${found.failure.detail}`],
    ['since', moment(found.createdAt)],
  ]);
}

function describePurchaseOrder(order: PurchaseOrder): string {
  return fields([
    ['purchase order', order.id],
    ['status', order.status],
    ['supplier', order.supplierId],
    ['its number', order.supplierOrderId],
    ...order.items.flatMap(({ sku, quantity, unitPrice, totalPrice }) => [
      ['goods', `${quantity} of ${sku}`] as const,
      ['price', `${formatMoney(unitPrice)} each, ${formatMoney(totalPrice)} in all`] as const,
    ]),
    ['received', order.receivedAt && moment(order.receivedAt)],
  ]);
}
