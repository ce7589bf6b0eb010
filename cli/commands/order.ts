/** `holdfast order ...` */
import type { Command } from 'commander';
import { maxPageSize } from '../../domain/limits.js';
import { orderStatuses } from '../../domain/orders/states.js';
import { exitCodes, type PostOptions, type Session } from '../terminal/session.js';
import { type LineValue, orderLine } from '../terminal/values.js';
import { example, type ListOptions, segment, withKey, withPages, withWait } from './options.js';
import { describeOrder, describeTimeline, listOrders } from './order-view.js';

interface PaymentOptions {
  readonly card?: string;
  readonly backupCard?: string;
  readonly external?: boolean;
}

interface CreateOptions extends PaymentOptions, PostOptions {
  readonly line?: readonly LineValue[];
  readonly customerId?: string;
  readonly email?: string;
  readonly name?: string;
  readonly confirm?: boolean;
}

export function addOrderCommands(group: Command, session: Session): void {
  addCreate(group, session);
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

function addCreate(group: Command, session: Session): void {
  const command = group
    .command('create')
    .description('open an order and reserve its lines: all of them, or none')
    .option('--line <sku:qty[@location]>', 'a line of the order; repeat for more lines', orderLine)
    .option('--customer-id <id>', 'your own id for the customer')
    .option('--email <address>', 'where receipts and notices go')
    .option('--name <name>', "the customer's name")
    .option('--confirm', 'pay and confirm at once');
  withKey(withWait(withPayment(command)))
    .addHelpText(
      'after',
      example(
        'holdfast order create --line coffee-beans-1kg:2 --line mug-stoneware:1@main --email ann@example.com',
        'holdfast order create --line mug-stoneware:1 --card tok_visa --confirm',
      ),
    )
    .action(async (options: CreateOptions) => {
      const payment = paymentOf(options, session);
      if (payment.kind === 'wrong') return;
      const customer = {
        ...(options.customerId !== undefined && { id: options.customerId }),
        ...(options.name !== undefined && { name: options.name }),
        ...(options.email !== undefined && { email: options.email }),
      };
      const body = {
        ...(Object.keys(customer).length > 0 && { customer }),
        ...(options.line && { lines: options.line }),
        ...payment.body,
        ...(options.confirm && { confirm: true }),
      };
      await session.show(await session.post('/api/orders', body, options), 'order', describeOrder);
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
    .action(async (options: ListOptions & { status?: string; customerId?: string }) => {
      const { status, customerId, limit, cursor } = options;
      await session.show(
        await session.get('/api/orders', { status, customerId, limit, cursor }),
        'orderPage',
        listOrders,
      );
    });
}

const wholeTimeline = { limit: maxPageSize };

function withPayment(command: Command): Command {
  return command
    .option('--card <token>', "the card to charge, as your processor's token")
    .option('--backup-card <token>', 'the card to charge if the first one is refused')
    .option('--external', 'the order is paid elsewhere: no card is charged');
}

type PaymentBody =
  | { readonly kind: 'body'; readonly body: Readonly<Record<string, unknown>> }
  | { readonly kind: 'wrong' };

function paymentOf(options: PaymentOptions, session: Session): PaymentBody {
  const { card, backupCard, external } = options;
  const wrong =
    external && (card !== undefined || backupCard !== undefined)
      ? '--external cannot be combined with a card'
      : backupCard !== undefined && card === undefined
        ? '--backup-card needs a --card'
        : null;
  if (wrong !== null) {
    session.fail(wrong, exitCodes.usage);
    return { kind: 'wrong' };
  }
  if (external) return { kind: 'body', body: { payment: { method: 'external' } } };
  if (card === undefined) return { kind: 'body', body: {} };
  return {
    kind: 'body',
    body: { payment: { cardToken: card, ...(backupCard !== undefined && { backupCardToken: backupCard }) } },
  };
}
