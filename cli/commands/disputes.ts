/** `holdfast disputes ...` */
import { type Command, Option } from 'commander';
import { formatMoney } from '../../domain/money.js';
import { disputeStatuses } from '../../domain/payments/disputes.js';
import { fields, moment, table } from '../terminal/output.js';
import type { Resource, Session } from '../terminal/session.js';
import { type ListOptions, moreLine, segment, withPages } from './options.js';

export function addDisputesCommands(group: Command, session: Session): void {
  group
    .command('show')
    .description('one dispute')
    .argument('<id>', 'the dispute')
    .action(async (id: string) => {
      await session.show(await session.get(`/api/disputes/${segment(id)}`), 'dispute', describeDispute);
    });

  withPages(group.command('list'))
    .description('disputes, newest first')
    .addOption(new Option('--status <status>', 'only these').choices(disputeStatuses))
    .option('--payment <id>', 'only of this payment')
    .action(async (options: ListOptions & { status?: string; payment?: string }) => {
      const { status, payment: paymentId, limit, cursor } = options;
      const reply = await session.get('/api/disputes', { status, paymentId, limit, cursor });
      await session.show(reply, 'disputePage', listDisputes);
    });
}

function describeDispute(found: Resource<'dispute'>): string {
  return fields([
    ['dispute', found.id],
    ['status', found.status],
    ['amount', formatMoney(found)],
    ['reason', found.reason],
    ['payment', found.paymentId],
    ['order', found.orderId],
    ['refundable', found.refundable ? 'yes' : 'no'],
    ['processor', found.providerReference],
    ['opened', moment(found.openedAt)],
    ['closed', found.closedAt && moment(found.closedAt)],
  ]);
}

function listDisputes({ items, nextCursor }: Resource<'disputePage'>): string {
  const columns = [
    { title: 'DISPUTE' },
    { title: 'STATUS' },
    { title: 'AMOUNT', align: 'right' as const },
    { title: 'REASON' },
    { title: 'PAYMENT' },
    { title: 'OPENED' },
  ];
  const rows = items.map((found) => [
    ...[found.id, found.status, formatMoney(found), found.reason, found.paymentId],
    moment(found.openedAt),
  ]);
  return table(columns, rows) + moreLine(nextCursor);
}
