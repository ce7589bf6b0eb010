/** `holdfast suppliers ...` */
import { type Command, Option } from 'commander';
import { fields, moment, table } from '../terminal/output.js';
import type { PostOptions, Resource, Session } from '../terminal/session.js';
import { code, quantity } from '../terminal/values.js';
import { type ListOptions, moreLine, segment, withKey, withPages } from './options.js';

interface SupplierOptions {
  readonly name?: string;
  readonly min?: number;
  readonly max?: number;
  readonly url?: string;
  readonly active?: boolean;
}

export function addSupplierCommands(group: Command, session: Session): void {
  withPages(group.command('list'))
    .description('suppliers, newest first')
    .action(async ({ limit, cursor }: ListOptions) => {
      await session.show(
        await session.get('/api/suppliers', { limit, cursor }),
        'supplierPage',
        ({ items, nextCursor }) => {
          const columns = [
            { title: 'SUPPLIER' },
            { title: 'NAME' },
            { title: 'ACTIVE' },
            { title: 'MIN', align: 'right' as const },
            { title: 'MAX', align: 'right' as const },
            { title: 'URL' },
          ];
          const rows = items.map((item) => [
            item.id,
            item.name,
            item.active ? 'yes' : 'no',
            item.minOrderQuantity,
            item.maxOrderQuantity,
            item.url,
          ]);
          return table(columns, rows) + moreLine(nextCursor);
        },
      );
    });

  group
    .command('show')
    .description('one supplier')
    .argument('<id>', 'the supplier')
    .action(async (id: string) => {
      await session.show(await session.get(`/api/suppliers/${segment(id)}`), 'supplier', describeSupplier);
    });

  withKey(group.command('create'))
    .description('add a supplier')
    .requiredOption('--name <name>', 'what it is called')
    .requiredOption('--min <quantity>', 'the smallest quantity of a product in one order', quantity)
    .requiredOption('--max <quantity>', 'the largest quantity of a product in one order', quantity)
    .option('--id <id>', 'its id (default: a new one)', code)
    .option('--url <url>', 'the address of its system (default: the sandbox)')
    .option('--inactive', 'order nothing from it yet')
    .action(async (options: PostOptions & SupplierOptions & { id?: string; inactive?: boolean }) => {
      const body = { ...(options.id && { id: options.id }), ...memberOf(options), active: options.inactive !== true };
      await session.show(await session.post('/api/suppliers', body, options), 'supplier', describeSupplier);
    });

  group
    .command('update')
    .description('change a supplier; settings you do not name stay as they are')
    .argument('<id>', 'the supplier')
    .option('--name <name>', 'what it is called')
    .option('--min <quantity>', 'the smallest quantity of a product in one order', quantity)
    .option('--max <quantity>', 'the largest quantity of a product in one order', quantity)
    .option('--url <url>', 'the address of its system')
    .addOption(new Option('--active', 'order from it').conflicts('inactive'))
    .option('--inactive', 'order nothing from it')
    .action(async (id: string, options: SupplierOptions & { inactive?: boolean }) => {
      const active = options.active ?? (options.inactive ? false : undefined);
      const body = { ...memberOf(options), ...(active !== undefined && { active }) };
      await session.show(await session.patch(`/api/suppliers/${segment(id)}`, body), 'supplier', describeSupplier);
    });
}

function memberOf({ name, min, max, url }: SupplierOptions): object {
  return {
    ...(name !== undefined && { name }),
    ...(min !== undefined && { minOrderQuantity: min }),
    ...(max !== undefined && { maxOrderQuantity: max }),
    ...(url !== undefined && { url }),
  };
}

function describeSupplier(found: Resource<'supplier'>): string {
  return fields([
    ['supplier', found.id],
    ['name', found.name],
    ['active', found.active ? 'yes' : 'no'],
    ['one order', `${found.minOrderQuantity} to ${found.maxOrderQuantity}`],
    ['url', found.url],
    ['since', moment(found.createdAt)],
  ]);
}
