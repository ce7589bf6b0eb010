/** `holdfast stock ...` */
import type { Command } from 'commander';
import type { z } from 'zod';
import { fields, moment, table } from '../output.js';
import { listOf, movement, stock, stockSummary } from '../resources.js';
import type { PostOptions, Session } from '../session.js';
import { code, quantity } from '../values.js';
import { type ListOptions, moreLine, segment, withKey, withPages } from './options.js';

const quantities = [
  { title: 'ON HAND', align: 'right' },
  { title: 'RESERVED', align: 'right' },
  { title: 'AVAILABLE', align: 'right' },
] as const;

export function addStockCommands(program: Command, session: Session): void {
  const group = program.command('stock').description('what there is of each product');

  withKey(group.command('add'))
    .description('receive goods into stock')
    .argument('<sku>', 'the product', code)
    .argument('<quantity>', 'how many', quantity)
    .option('--location <code>', 'where (default: main)', code)
    .option('--reference <text>', 'the delivery note, purchase order or the like')
    .action(async (sku: string, count: number, options: PostOptions & { location?: string; reference?: string }) => {
      const { location, reference } = options;
      const body = { quantity: count, ...(location && { location }), ...(reference && { reference }) };
      session.show(
        await session.post(`/api/inventory/${segment(sku)}/receipts`, body, options),
        movement,
        describeReceipt,
      );
    });

  group
    .command('show')
    .description('one product: where it is and what is held')
    .argument('<sku>', 'the product', code)
    .option('--at <time>', 'as it stood then (RFC 3339, for example 2026-11-21T05:41:07Z)')
    .action(async (sku: string, options: { at?: string }) => {
      session.show(await session.get(`/api/inventory/${segment(sku)}`, { at: options.at }), stock, describeStock);
    });

  withPages(group.command('list'))
    .description('every product')
    .action(async (options: ListOptions) => {
      const reply = await session.get('/api/inventory', { limit: options.limit, cursor: options.cursor });
      session.show(reply, listOf(stockSummary), ({ items, nextCursor }) => {
        const columns = [{ title: 'SKU' }, ...quantities, { title: 'IN TRANSIT', align: 'right' as const }];
        const rows = items.map((item) => [item.sku, item.onHand, item.reserved, item.available, item.inTransit]);
        return table(columns, rows) + moreLine(nextCursor);
      });
    });
}

function describeReceipt(received: z.infer<typeof movement>): string {
  return fields([
    ['movement', received.id],
    ['received', `${received.onHandDelta} of ${received.sku} at ${received.location}`],
    ['on hand', received.onHandAfter],
    ['reserved', received.reservedAfter],
    ['at', moment(received.at)],
  ]);
}

function describeStock(found: z.infer<typeof stock>): string {
  const places = found.locations.map((place) => [place.location, place.onHand, place.reserved, place.available]);
  const total = ['total', found.onHand, found.reserved, found.available];
  const holds = (found.reservations ?? []).map((hold) => [
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
      ? `\n${table([{ title: 'HOLD' }, { title: 'QUANTITY', align: 'right' }, { title: 'LOCATION' }, { title: 'RUNS OUT' }, { title: 'ORDER' }], holds)}`
      : '',
    (found.reservationCount ?? 0) > holds.length
      ? `the newest ${holds.length} of ${found.reservationCount} holds\n`
      : '',
  ].join('');
}
