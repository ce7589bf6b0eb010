/** `holdfast stock ...` */
import type { Command } from 'commander';
import { fields, moment, table } from '../terminal/output.js';
import type { PostOptions, Resource, Session } from '../terminal/session.js';
import { code, quantity } from '../terminal/values.js';
import { example, type ListOptions, moreLine, segment, withKey, withPages } from './options.js';

const quantities = [
  { title: 'ON HAND', align: 'right' },
  { title: 'RESERVED', align: 'right' },
  { title: 'AVAILABLE', align: 'right' },
] as const;

export function addStockCommands(group: Command, session: Session): void {
  withKey(group.command('add'))
    .description('receive goods into stock')
    .argument('<sku>', 'the product', code)
    .argument('<quantity>', 'how many', quantity)
    .option('--location <code>', 'where (default: main)', code)
    .option('--reference <text>', 'the delivery note, purchase order or the like')
    .addHelpText('after', example('holdfast stock add coffee-beans-1kg 40 --location north --reference DN-1047'))
    .action(async (sku: string, count: number, options: PostOptions & { location?: string; reference?: string }) => {
      const { location, reference } = options;
      const body = { quantity: count, ...(location && { location }), ...(reference && { reference }) };
      await session.show(
        await session.post(`/api/inventory/${segment(sku)}/receipts`, body, options),
        'movement',
        describeReceipt,
      );
    });

  group
    .command('show')
    .description('one product: where it is and which holds are open')
    .argument('<sku>', 'the product', code)
    .option('--at <time>', 'as of this time (RFC 3339, for example 2026-11-21T05:41:07Z)')
    .action(async (sku: string, options: { at?: string }) => {
      await session.show(
        await session.get(`/api/inventory/${segment(sku)}`, { at: options.at }),
        'stock',
        describeStock,
      );
    });

  withPages(group.command('list'))
    .description('every product')
    .action(async (options: ListOptions) => {
      const reply = await session.get('/api/inventory', { limit: options.limit, cursor: options.cursor });
      await session.show(reply, 'stockPage', ({ items, nextCursor }) => {
        const columns = [{ title: 'SKU' }, ...quantities, { title: 'IN TRANSIT', align: 'right' as const }];
        const rows = items.map((item) => [item.sku, item.onHand, item.reserved, item.available, item.inTransit]);
        return table(columns, rows) + moreLine(nextCursor);
      });
    });
}

function describeReceipt(received: Resource<'movement'>): string {
  return fields([
    ['movement', received.id],
    ['received', `${received.onHandDelta} of ${received.sku} at ${received.location}`],
    ['on hand', received.onHandAfter],
    ['reserved', received.reservedAfter],
    ['at', moment(received.at)],
  ]);
}

function describeStock(found: Resource<'stock'>): string {
  const places = found.locations.map((place) => [place.location, place.onHand, place.reserved, place.available]);
  const total = ['total', found.onHand, found.reserved, found.available];
  const held = found.reservations ?? [];
  const count = found.reservationCount ?? held.length;
  const holds = held.map((hold) => [
    hold.id,
    hold.quantity,
    hold.location,
    hold.expiresAt && moment(hold.expiresAt),
    hold.orderId,
  ]);
  return [
    `${found.sku}\n\n`,
    table([{ title: 'LOCATION' }, ...quantities], [...places, total]),
    found.inTransit > 0 ? `\nin transit: ${found.inTransit}\n` : '',
    holds.length > 0
      ? `\n${table([{ title: 'HOLD' }, { title: 'QUANTITY', align: 'right' }, { title: 'LOCATION' }, { title: 'EXPIRES' }, { title: 'ORDER' }], holds)}`
      : '',
    count > holds.length && holds.length > 0
      ? `\nthe newest ${holds.length} of ${count} holds; GET /api/inventory/${found.sku}/reservations lists them all\n`
      : '',
  ].join('');
}
