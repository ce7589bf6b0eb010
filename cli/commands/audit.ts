/** `holdfast audit` */
import type { Command } from 'commander';
import { moment, table } from '../terminal/output.js';
import type { Resource, Session } from '../terminal/session.js';
import { example, type ListOptions, moreLine, withPages } from './options.js';

type Filters = ListOptions & {
  readonly subject?: string;
  readonly actor?: string;
  readonly action?: string;
  readonly from?: string;
  readonly to?: string;
};

export function addAuditCommand(command: Command, session: Session): void {
  withPages(command)
    .option('--subject <subject>', 'only about this, for example payment/pay_...')
    .option('--actor <actor>', 'only by this actor, for example api_key:key_...')
    .option('--action <action>', 'only this action, for example payment.decided')
    .option('--from <time>', 'only at this time or later (RFC 3339)')
    .option('--to <time>', 'only before this time (RFC 3339)')
    .addHelpText('after', example('holdfast audit --action key.created --from 2026-11-01T00:00:00Z'))
    .action(async (options: Filters) => {
      const { subject, actor, action, from, to, limit, cursor } = options;
      const reply = await session.get('/api/audit', { subject, actor, action, from, to, limit, cursor });
      await session.show(reply, 'auditPage', listEntries);
    });
}

function listEntries({ items, nextCursor }: Resource<'auditPage'>): string {
  const columns = [
    { title: 'AT' },
    { title: 'ACTION' },
    { title: 'OUTCOME' },
    { title: 'SUBJECT' },
    { title: 'ACTOR' },
  ];
  const rows = items.map(({ at, action, outcome, subject, actor }) => [moment(at), action, outcome, subject, actor]);
  return table(columns, rows) + moreLine(nextCursor);
}
