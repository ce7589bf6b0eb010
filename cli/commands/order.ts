/** `holdfast order ...` */
import type { Command } from 'commander';
import { maxPageSize } from '../../domain/limits.js';
import { orderStatuses } from '../../domain/orders/states.js';
import { metadataEntry, orderTag, postalAddress } from '../terminal/order-values.js';
import type { PostOptions, Session } from '../terminal/session.js';
import { example, type ListOptions, segment, withKey, withPages, withWait } from './options.js';
import { addCreate } from './order-create.js';
import { type PaymentOptions, paymentOf, withPayment } from './order-payment.js';
import { describeOrder, describeTimeline, listOrders } from './order-view.js';

export function addOrderCommands(group: Command, session: Session, currentFolder: string): void {
  addCreate(group, session, currentFolder);
  addUpdate(group, session);
  addReads(group, session);

  withPayment(withWait(withKey(group.command('confirm'))))
    .description('pay a reserved order and confirm it')
    .argument('<id>', 'the order')
    .action(async (id: string, options: PaymentOptions & PostOptions) => {
      const payment = paymentOf(options, session);
      if (payment.kind === 'wrong') return;
      const reply = await session.post(`/api/orders/${segment(id)}/confirm`, payment.body, options);
      await session.show(reply, 'order', describeOrder);
    });

  withWait(withKey(group.command('cancel')))
    .description('cancel an order that is not confirmed and free its stock')
    .argument('<id>', 'the order')
    .option('--reason <text>', 'why', 'cancelled on the command line')
    .action(async (id: string, options: PostOptions & { reason: string }) => {
      const reply = await session.post(`/api/orders/${segment(id)}/cancel`, { reason: options.reason }, options);
      await session.show(reply, 'order', describeOrder);
    });
}

/** False comes from `--no-...`, which removes what is there. */
interface UpdateOptions {
  readonly metadata?: Readonly<Record<string, string>> | false;
  readonly tag?: readonly string[] | false;
  readonly note?: string | false;
  readonly shipTo?: Readonly<Record<string, string>> | false;
}

function addUpdate(group: Command, session: Session): void {
  group
    .command('update')
    .description('change the details of an order, whatever its status; what you do not name stays as it is')
    .argument('<id>', 'the order')
    .option('--metadata <key=value>', 'its metadata from now on; repeat for more', metadataEntry)
    .option('--no-metadata', 'remove all metadata')
    .option('--tag <tag>', 'its tags from now on; repeat for more', orderTag)
    .option('--no-tag', 'remove all tags')
    .option('--note <text>', 'a note for those who handle it')
    .option('--no-note', 'remove the note')
    .option('--ship-to <address>', 'where the goods go, as in `order create`', postalAddress)
    .option('--no-ship-to', 'remove the address')
    .addHelpText('after', example('holdfast order update ord_... --tag gift --note "Wrap it."'))
    .action(async (id: string, { metadata, tag, note, shipTo }: UpdateOptions) => {
      const change = {
        ...(metadata !== undefined && { metadata: metadata || {} }),
        ...(tag !== undefined && { tags: tag || [] }),
        ...(note !== undefined && { note: note === false ? null : note }),
        ...(shipTo !== undefined && { shippingAddress: shipTo || null }),
      };
      await session.show(await session.patch(`/api/orders/${segment(id)}`, change), 'order', describeOrder);
    });
}

function addReads(group: Command, session: Session): void {
  group
    .command('show')
    .description('one order with its timeline; with --json the order only')
    .argument('<id>', 'the order')
    .action(async (id: string) => {
      const found = await session.show(await session.get(`/api/orders/${segment(id)}`), 'order', describeOrder);
      if (found === null || session.json()) return;
      session.print('\n');
      await session.show(
        await session.get(`/api/orders/${segment(id)}/timeline`, wholeTimeline),
        'timelinePage',
        ({ items, nextCursor }) =>
          describeTimeline({ items, nextCursor: null }) +
          (nextCursor === null ? '' : `more: holdfast order timeline ${id} --cursor ${nextCursor}\n`),
      );
    });

  withPages(group.command('timeline'))
    .description("an order's history, oldest first")
    .argument('<id>', 'the order')
    .action(async (id: string, options: ListOptions) => {
      const reply = await session.get(`/api/orders/${segment(id)}/timeline`, {
        limit: options.limit,
        cursor: options.cursor,
      });
      await session.show(reply, 'timelinePage', describeTimeline);
    });

  withPages(group.command('list'))
    .description('orders, newest first')
    .option('--status <status>', `only these: ${orderStatuses.join(', ')}`)
    .option('--customer-id <id>', 'only those of one customer')
    .option('--external-reference <reference>', 'only those with your own id')
    .option('--tag <tag>', 'only those with a tag')
    .option('--channel <channel>', 'only those from a channel')
    .option('--from <time>', 'only those created at this time or later, for example 2026-11-01T00:00:00Z')
    .option('--to <time>', 'only those created before this time')
    .action(async (options: ListOptions & ListFilters) => {
      const { status, customerId, externalReference, tag, channel, from, to, limit, cursor } = options;
      const query = { status, customerId, externalReference, tag, channel, from, to, limit, cursor };
      await session.show(await session.get('/api/orders', query), 'orderPage', listOrders);
    });
}

interface ListFilters {
  readonly status?: string;
  readonly customerId?: string;
  readonly externalReference?: string;
  readonly tag?: string;
  readonly channel?: string;
  readonly from?: string;
  readonly to?: string;
}

const wholeTimeline = { limit: maxPageSize };
