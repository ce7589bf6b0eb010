/** `holdfast product ...` */
import { type Command, Option } from 'commander';
import { formatMoney, type Money } from '../../domain/money.js';
import { productStatuses } from '../../domain/products.js';
import { fields, moment, table } from '../terminal/output.js';
import type { PostOptions, Resource, Session } from '../terminal/session.js';
import { code, money, quantity, stockLevel } from '../terminal/values.js';
import { example, type ListOptions, moreLine, segment, withKey, withPages } from './options.js';

/** What `create` and `update` share. False comes from `--no-...`, which removes a setting. */
interface ProductOptions {
  readonly name?: string;
  readonly price?: Money;
  readonly status?: string;
  readonly reorderPoint?: number | false;
  readonly maxStock?: number | false;
  readonly supplier?: string | false;
  readonly supplierPrice?: Money | false;
}

export function addProductCommands(group: Command, session: Session): void {
  withSupply(withKey(group.command('create')))
    .description('add a product')
    .argument('<sku>', 'its SKU', code)
    .requiredOption('--name <name>', 'what it is called')
    .requiredOption('--price <money>', 'what one costs, for example "24.90 USD"', money)
    .option('--draft', 'not for sale yet')
    .addHelpText(
      'after',
      example(
        'holdfast product create mug-blue --name "Blue mug" --price "14.00 USD"',
        'holdfast stock add mug-blue 100',
      ),
    )
    .action(async (sku: string, options: PostOptions & ProductOptions & { draft?: boolean }) => {
      const body = { sku, ...membersOf(options), ...(options.draft && { status: 'draft' }) };
      await session.show(await session.post('/api/products', body, options), 'product', describeProduct);
    });

  withPages(group.command('list'))
    .description('products, newest first')
    .action(async ({ limit, cursor }: ListOptions) => {
      await session.show(await session.get('/api/products', { limit, cursor }), 'productPage', listProducts);
    });

  group
    .command('show')
    .description('one product; `stock show` has its stock')
    .argument('<sku>', 'the product', code)
    .action(async (sku: string) => {
      await session.show(await session.get(`/api/products/${segment(sku)}`), 'product', describeProduct);
    });

  withSupply(group.command('update'))
    .description('change a product; settings you do not name stay as they are')
    .argument('<sku>', 'the product', code)
    .option('--name <name>', 'what it is called')
    .option('--price <money>', 'what one costs, for example "24.90 USD"', money)
    .addOption(new Option('--status <status>', 'only active products can be ordered').choices(productStatuses))
    .option('--no-reorder-point', 'reorder only when asked to')
    .option('--no-max-stock', 'remove the maximum stock')
    .option('--no-supplier', 'remove the supplier')
    .option('--no-supplier-price', "remove the supplier's price")
    .addHelpText('after', example('holdfast product update mug-blue --price "15.00 USD" --reorder-point 20'))
    .action(async (sku: string, options: ProductOptions) => {
      const reply = await session.patch(`/api/products/${segment(sku)}`, membersOf(options));
      await session.show(reply, 'product', describeProduct);
    });
}

/** Replenishment settings. */
function withSupply(command: Command): Command {
  return command
    .option('--reorder-point <n>', 'reorder when on hand plus on order is at or below this', stockLevel)
    .option('--max-stock <n>', 'fill up to this when reordering', quantity)
    .option('--supplier <id>', 'the supplier that delivers it', code)
    .option('--supplier-price <money>', 'what the supplier charges for one, for example "9.50 USD"', money);
}

function membersOf(options: ProductOptions): object {
  const { name, price, status, reorderPoint, maxStock, supplier, supplierPrice } = options;
  return {
    ...(name !== undefined && { name }),
    ...(price !== undefined && { price }),
    ...(status !== undefined && { status }),
    ...(reorderPoint !== undefined && { reorderPoint: reorderPoint === false ? null : reorderPoint }),
    ...(maxStock !== undefined && { maxStock: maxStock === false ? null : maxStock }),
    ...(supplier !== undefined && { supplierId: supplier === false ? null : supplier }),
    ...(supplierPrice !== undefined && { supplierPrice: supplierPrice === false ? null : supplierPrice }),
  };
}

function describeProduct(found: Resource<'product'>): string {
  return fields([
    ['product', found.sku],
    ['name', found.name],
    ['status', found.status],
    ['price', formatMoney(found.price)],
    ['reorder point', found.reorderPoint],
    ['max stock', found.maxStock],
    ['supplier', found.supplierId],
    ['supplier price', found.supplierPrice && formatMoney(found.supplierPrice)],
    ['created', moment(found.createdAt)],
  ]);
}

function listProducts({ items, nextCursor }: Resource<'productPage'>): string {
  const columns = [
    { title: 'SKU' },
    { title: 'NAME' },
    { title: 'STATUS' },
    { title: 'PRICE', align: 'right' as const },
    { title: 'REORDER POINT', align: 'right' as const },
    { title: 'MAX STOCK', align: 'right' as const },
    { title: 'SUPPLIER' },
  ];
  const rows = items.map((item) => [
    ...[item.sku, item.name, item.status, formatMoney(item.price)],
    ...[item.reorderPoint, item.maxStock, item.supplierId],
  ]);
  return table(columns, rows) + moreLine(nextCursor);
}
