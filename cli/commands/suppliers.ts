/** `holdfast suppliers ...` */
import { type Command, Option } from 'commander';
import type { z } from 'zod';
import { fields, moment, table } from '../output.js';
import { listOf, supplier } from '../resources.js';
import type { PostOptions, Session } from '../session.js';
import { code, quantity } from '../values.js';
import { type ListOptions, moreLine, segment, withKey, withPages } from './options.js';

interface SupplierOptions {
  readonly name?: string;
  readonly min?: number;
  readonly max?: number;
  readonly url?: string;
  readonly active?: boolean;
}

export function addSupplierCommands(program: Command, session: Session): void {
  const group = program.command('suppliers').description('whom replenishment turns to');

  withPages(group.command('list'))
    .description('suppliers, newest first')
    .action(async ({ limit, cursor }: ListOptions) => {
      session.show(
        await session.get('/api/suppliers', { limit, cursor }),
        listOf(supplier),
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
      session.show(await session.get(`/api/suppliers/${segment(id)}`), supplier, describeSupplier);
    });

  withKey(group.command('create'))
    .description('add a supplier')
    .requiredOption('--name <name>', 'what it is called')
    .requiredOption('--min <quantity>', 'the least of one product in one order', quantity)
    .requiredOption('--max <quantity>', 'the most of one product in one order', quantity)
    .option('--id <id>', 'what it is known by (default: made up)', code)
    .option('--url <url>', 'where it is asked (default: the sandbox)')
    .option('--inactive', 'it is asked for nothing yet')
    .action(async (options: PostOptions & SupplierOptions & { id?: string; inactive?: boolean }) => {
      const body = { ...(options.id && { id: options.id }), ...memberOf(options), active: options.inactive !== true };
      session.show(await session.post('/api/suppliers', body, options), supplier, describeSupplier);
    });

  group
    .command('update')
    .description('change a supplier, or switch it off or on')
    .argument('<id>', 'the supplier')
    .option('--name <name>', 'what it is called')
    .option('--min <quantity>', 'the least of one product in one order', quantity)
    .option('--max <quantity>', 'the most of one product in one order', quantity)
    .option('--url <url>', 'where it is asked')
    .addOption(new Option('--active', 'it is asked').conflicts('inactive'))
    .option('--inactive', 'it is asked for nothing')
    .action(async (id: string, options: SupplierOptions & { inactive?: boolean }) => {
      const active = options.active ?? (options.inactive ? false : undefined);
      const body = { ...memberOf(options), ...(active !== undefined && { active }) };
      session.show(await session.patch(`/api/suppliers/${segment(id)}`, body), supplier, describeSupplier);
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

function describeSupplier(found: z.infer<typeof supplier>): string {
  return fields([
    ['supplier', found.id],
    ['name', found.name],
    ['active', found.active ? 'yes' : 'no'],
    ['one order', `${found.minOrderQuantity} to ${found.maxOrderQuantity}`],
    ['url', found.url],
    ['since', moment(found.createdAt)],
  ]);
}
