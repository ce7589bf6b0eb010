/** `holdfast order ...` */
import type { Command } from 'commander';
import { orderStatuses } from '../../domain/order-states.js';
import { listOf, order, timelineEntry } from '../resources.js';
import { exitCodes, type PostOptions, type Session } from '../session.js';
import { type LineValue, orderLine } from '../values.js';
import { type ListOptions, segment, withKey, withPages, withWait } from './options.js';
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

export function addOrderCommands(program: Command, session: Session): void {
  const group = program.command('order').description('orders, from the first line to the receipt');
  addCreate(group, session);
  addReads(group, session);

  withPayment(withWait(withKey(group.command('confirm'))))
    .description('pay a reserved order and confirm it')
    .argument('<id>', 'the order')
    .action(async (id: string, options: PaymentOptions & PostOptions) => {
      const payment = paymentOf(options, session);
      if (payment.kind === 'wrong') return;
      const reply = await session.post(`/api/orders/${segment(id)}/confirm`, payment.body, options);
      session.show(reply, order, describeOrder);
    });

  withWait(withKey(group.command('cancel')))
    .description('cancel an order that is not confirmed and free its stock')
    .argument('<id>', 'the order')
    .option('--reason <text>', 'why', 'cancelled on the command line')
    .action(async (id: string, options: PostOptions & { reason: string }) => {
      const reply = await session.post(`/api/orders/${segment(id)}/cancel`, { reason: options.reason }, options);
      session.show(reply, order, describeOrder);
    });
}

function addCreate(group: Command, session: Session): void {
  withPayment(withWait(withKey(group.command('create'))))
    .description('open an order; with lines all of them are reserved, or none')
    .option('--line <sku:qty[@location]>', 'a line; give it once for each', orderLine)
    .option('--customer-id <id>', 'your own id of the customer')
    .option('--email <address>', 'where receipts and notices go')
    .option('--name <name>', "the customer's name")
    .option('--confirm', 'pay and confirm at once')
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
      session.show(await session.post('/api/orders', body, options), order, describeOrder);
    });
}

function addReads(group: Command, session: Session): void {
  group
    .command('show')
    .description('one order with its timeline; with --json the order alone')
    .argument('<id>', 'the order')
    .action(async (id: string) => {
      const found = session.show(await session.get(`/api/orders/${segment(id)}`), order, describeOrder);
      if (found === null || session.json()) return;
      session.print('\n');
      session.show(
        await session.get(`/api/orders/${segment(id)}/timeline`, wholeTimeline),
        listOf(timelineEntry),
        describeTimeline,
      );
    });

  withPages(group.command('timeline'))
    .description('what happened to an order, oldest first')
    .argument('<id>', 'the order')
    .action(async (id: string, options: ListOptions) => {
      const reply = await session.get(`/api/orders/${segment(id)}/timeline`, {
        limit: options.limit,
        cursor: options.cursor,
      });
      session.show(reply, listOf(timelineEntry), describeTimeline);
    });

  withPages(group.command('list'))
    .description('orders, newest first')
    .option('--status <status>', `only these: ${orderStatuses.join(', ')}`)
    .option('--customer-id <id>', 'only those of one customer')
    .action(async (options: ListOptions & { status?: string; customerId?: string }) => {
      const { status, customerId, limit, cursor } = options;
      session.show(await session.get('/api/orders', { status, customerId, limit, cursor }), listOf(order), listOrders);
    });
}

const wholeTimeline = { limit: 200 };

function withPayment(command: Command): Command {
  return command
    .option('--card <token>', 'the card to charge, as the token your processor gave for it')
    .option('--backup-card <token>', 'charged where the first card is refused')
    .option('--external', 'paid elsewhere: no card is charged');
}

type PaymentBody =
  | { readonly kind: 'body'; readonly body: Readonly<Record<string, unknown>> }
  | { readonly kind: 'wrong' };

function paymentOf(options: PaymentOptions, session: Session): PaymentBody {
  const { card, backupCard, external } = options;
  const wrong =
    external && (card !== undefined || backupCard !== undefined)
      ? '--external and a card exclude each other'
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
