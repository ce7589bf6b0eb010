/** `holdfast replenish ...` and `holdfast po ...` */
import { type Command, Option } from 'commander';
import { formatMoney } from '../../domain/money.js';
import { purchaseOrderStatuses } from '../../domain/replenishment.js';
import { fields, moment, table } from '../terminal/output.js';
import type { PostOptions, Resource, Session } from '../terminal/session.js';
import { code } from '../terminal/values.js';
import { type ListOptions, moreLine, segment, withKey, withPages, withWait } from './options.js';

type PurchaseOrder = Resource<'purchaseOrder'>;

export function addReplenishCommand(command: Command, session: Session): void {
  withWait(withKey(command))
    .argument('<sku>', 'the product', code)
    .option('--location <code>', 'where (default: main)', code)
    .action(async (sku: string, options: PostOptions & { location?: string }) => {
      const { location } = options;
      const body = { sku, ...(location !== undefined && { location }) };
      const reply = await session.post('/api/replenishments', body, options);
      await session.show(reply, 'replenishment', describeReplenishment);
    });
}

export function addPurchaseOrderCommands(group: Command, session: Session): void {
  withPages(group.command('list'))
    .description('purchase orders, newest first')
    .addOption(new Option('--status <status>', 'only these').choices(purchaseOrderStatuses))
    .option('--sku <sku>', 'only of this product', code)
    .action(async (options: ListOptions & { status?: string; sku?: string }) => {
      const { status, sku, limit, cursor } = options;
      const reply = await session.get('/api/purchase-orders', { status, sku, limit, cursor });
      await session.show(reply, 'purchaseOrderPage', ({ items, nextCursor }) => {
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
      await session.show(
        await session.get(`/api/purchase-orders/${segment(id)}`),
        'purchaseOrder',
        describePurchaseOrder,
      );
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

function describeReplenishment(found: Resource<'replenishment'>): string {
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
    ['supplier order', order.supplierOrderId],
    ...order.items.flatMap(({ sku, quantity, unitPrice, totalPrice }) => [
      ['goods', `${quantity} of ${sku}`] as const,
      ['price', `${formatMoney(unitPrice)} each, ${formatMoney(totalPrice)} in all`] as const,
    ]),
    ['received', order.receivedAt && moment(order.receivedAt)],
  ]);
}
