/** `holdfast transfer ...` */
import { type Command, Option } from 'commander';
import { transferStatuses } from '../../domain/transfers/states.js';
import type { Transfer } from '../connection/resources.js';
import { fields, moment, table } from '../terminal/output.js';
import type { PostOptions, Resource, Session } from '../terminal/session.js';
import { arrivedQuantity, code, quantity } from '../terminal/values.js';
import { example, type ListOptions, moreLine, segment, withKey, withPages, withWait } from './options.js';

interface SendOptions extends PostOptions {
  readonly from: string;
  readonly to: string;
  readonly shipped?: boolean;
}

export function addTransferCommands(group: Command, session: Session): void {
  // The default: `holdfast transfer SKU 2 --from main --to berlin`. A mistyped command must not pass for a SKU.
  group.hook('preSubcommand', (_, chosen) => {
    const [name, count] = group.args;
    if (chosen.name() !== 'send' || name === undefined || name === 'send' || /^-?\d/.test(count ?? '')) return;
    group.error(
      `error: unknown command '${name}' (expected send, receive, cancel, show or list; or a SKU and a quantity)`,
    );
  });
  withWait(withKey(group.command('send', { isDefault: true })))
    .description('move goods to another location, at once or in transit (the word `send` may be left out)')
    .argument('<sku>', 'the product', code)
    .argument('<quantity>', 'how many', quantity)
    .requiredOption('--from <code>', 'where they are now', code)
    .requiredOption('--to <code>', 'where they go', code)
    .option('--shipped', 'the goods stay in transit until `transfer receive` records their arrival')
    .addHelpText(
      'after',
      example(
        'holdfast transfer coffee-beans-1kg 10 --from main --to north',
        'holdfast transfer coffee-beans-1kg 10 --from main --to north --shipped',
      ),
    )
    .action(async (sku: string, count: number, options: SendOptions) => {
      const { from, to, shipped } = options;
      const body = { sku, quantity: count, from, to, ...(shipped && { mode: 'shipped' }) };
      await session.show(await session.post('/api/transfers', body, options), 'transfer', describeTransfer);
    });

  withWait(withKey(group.command('receive')))
    .description('record that goods have arrived; what is missing is booked as lost')
    .argument('<id>', 'the transfer')
    .option('--quantity <n>', 'how many arrived (default: all that were sent)', arrivedQuantity)
    .option('--reason <text>', 'why fewer arrived than were sent')
    .action(async (id: string, options: PostOptions & { quantity?: number; reason?: string }) => {
      const body = {
        ...(options.quantity !== undefined && { quantity: options.quantity }),
        ...(options.reason !== undefined && { reason: options.reason }),
      };
      const reply = await session.post(`/api/transfers/${segment(id)}/receive`, body, options);
      await session.show(reply, 'transfer', describeTransfer);
    });

  withWait(withKey(group.command('cancel')))
    .description('return the goods to where they came from')
    .argument('<id>', 'the transfer')
    .option('--reason <text>', 'why', 'cancelled on the command line')
    .action(async (id: string, options: PostOptions & { reason: string }) => {
      const body = { reason: options.reason };
      const reply = await session.post(`/api/transfers/${segment(id)}/cancel`, body, options);
      await session.show(reply, 'transfer', describeTransfer);
    });

  addReads(group, session);
}

function addReads(group: Command, session: Session): void {
  group
    .command('show')
    .description('one transfer')
    .argument('<id>', 'the transfer')
    .action(async (id: string) => {
      await session.show(await session.get(`/api/transfers/${segment(id)}`), 'transfer', describeTransfer);
    });

  withPages(group.command('list'))
    .description('transfers, newest first')
    .addOption(new Option('--status <status>', 'only these').choices(transferStatuses))
    .option('--sku <sku>', 'only transfers of this product', code)
    .action(async (options: ListOptions & { status?: string; sku?: string }) => {
      const { status, sku, limit, cursor } = options;
      const reply = await session.get('/api/transfers', { status, sku, limit, cursor });
      await session.show(reply, 'transferPage', listTransfers);
    });
}

function describeTransfer(found: Transfer): string {
  const travelling = found.status === 'in_transit' ? ' (on the way)' : '';
  return fields([
    ['transfer', found.id],
    ['status', `${found.status}${travelling}`],
    ['goods', `${found.quantity} of ${found.sku}`],
    ['from', found.from],
    ['to', found.to],
    ['mode', found.mode],
    ['received', found.received],
    ['lost', found.lost === 0 ? null : found.lost],
    ['reason', found.reason],
    ['failure', found.failure && `${found.failure.code}: ${found.failure.detail}`],
    ['workflow', found.workflowId],
    ['created', moment(found.createdAt)],
  ]);
}

function listTransfers({ items, nextCursor }: Resource<'transferPage'>): string {
  const columns = [
    { title: 'TRANSFER' },
    { title: 'STATUS' },
    { title: 'SKU' },
    { title: 'QUANTITY', align: 'right' as const },
    { title: 'FROM' },
    { title: 'TO' },
    { title: 'RECEIVED', align: 'right' as const },
    { title: 'CREATED' },
  ];
  const rows = items.map((found) => [
    ...[found.id, found.status, found.sku, found.quantity, found.from, found.to, found.received],
    moment(found.createdAt),
  ]);
  return table(columns, rows) + moreLine(nextCursor);
}
