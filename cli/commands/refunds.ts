/** `holdfast refund ...` and `holdfast refunds ...` */
import { type Command, Option } from 'commander';
import { formatMoney } from '../../domain/money.js';
import { refundStatuses } from '../../domain/payments/refunds.js';
import { type LineValue, units } from '../terminal/order-values.js';
import { fields, moment, table } from '../terminal/output.js';
import { exitCodes, type PostOptions, type Resource, type Session } from '../terminal/session.js';
import { minorUnits } from '../terminal/values.js';
import { example, type ListOptions, moreLine, segment, withKey, withPages, withWait } from './options.js';

interface RefundOptions extends PostOptions {
  readonly amount?: number;
  readonly line?: readonly LineValue[];
  readonly charges?: boolean;
  readonly restock?: boolean;
  readonly reason: string;
}

export function addRefundCommand(command: Command, session: Session): void {
  withWait(withKey(command))
    .argument('<id>', 'the order or the payment (ord_… or pay_…)')
    .option(
      '--amount <minor units>',
      'how much (default: what the lines and charges come to, or all that is left)',
      minorUnits,
    )
    .option('--line <sku:qty>', 'units to refund; repeat for more', units)
    .option('--charges', 'refund the charges of the order')
    .option('--restock', 'the units come back to the stock')
    .option('--reason <text>', 'why', 'refunded on the command line')
    .addHelpText(
      'after',
      example(
        'holdfast refund ord_… --line coffee-beans-1kg:1 --restock --reason "one bag was torn"',
        'holdfast refund pay_… --amount 500',
      ),
    )
    .action(async (id: string, options: RefundOptions) => {
      const { amount, line: lines, charges, restock, reason } = options;
      const body = {
        ...(amount !== undefined && { amount }),
        ...(lines !== undefined && { lines }),
        ...(charges && { charges }),
        ...(restock && { restock }),
        reason,
      };
      const path = id.startsWith('pay_') ? '/api/payments' : '/api/orders';
      const reply = await session.post(`${path}/${segment(id)}/refunds`, body, options);
      const made = await session.show(reply, 'refund', describeRefund);
      // The API has answered 201, but no money was returned.
      if (made?.status === 'failed') session.exitCode = exitCodes.refused;
    });
}

export function addRefundsCommands(group: Command, session: Session): void {
  group
    .command('show')
    .description('one refund')
    .argument('<id>', 'the refund')
    .action(async (id: string) => {
      await session.show(await session.get(`/api/refunds/${segment(id)}`), 'refund', describeRefund);
    });

  withPages(group.command('list'))
    .description('refunds, newest first')
    .addOption(new Option('--status <status>', 'only these').choices(refundStatuses))
    .option('--order <id>', 'only of this order')
    .option('--payment <id>', 'only of this payment')
    .action(async (options: ListOptions & { status?: string; order?: string; payment?: string }) => {
      const { status, order: orderId, payment: paymentId, limit, cursor } = options;
      const reply = await session.get('/api/refunds', { status, orderId, paymentId, limit, cursor });
      await session.show(reply, 'refundPage', listRefunds);
    });
}

type Refund = Resource<'refund'>;

function describeRefund(found: Refund): string {
  const units = found.lines.map(({ sku, quantity: count }) => `${count} of ${sku}`).join(', ');
  return fields([
    ['refund', found.id],
    ['status', found.status],
    ['amount', formatMoney(found)],
    ['order', found.orderId],
    ['payment', found.paymentId],
    ['units', units === '' ? null : units],
    ['restocked', found.restocked ? 'yes' : null],
    ['reason', found.reason],
    ['processor', found.providerReference],
    ['failure', found.failure && `${found.failure.code}: ${found.failure.detail}`],
    ['created', moment(found.createdAt)],
  ]);
}

function listRefunds({ items, nextCursor }: Resource<'refundPage'>): string {
  const columns = [
    { title: 'REFUND' },
    { title: 'STATUS' },
    { title: 'AMOUNT', align: 'right' as const },
    { title: 'ORDER' },
    { title: 'PAYMENT' },
    { title: 'CREATED' },
  ];
  const rows = items.map((found) => [
    ...[found.id, found.status, formatMoney(found), found.orderId, found.paymentId],
    moment(found.createdAt),
  ]);
  return table(columns, rows) + moreLine(nextCursor);
}
