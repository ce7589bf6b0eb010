/** `holdfast reviews ...` */
import { type Command, Option } from 'commander';
import { reviewDecisions, reviewStatuses } from '../../domain/reviews.js';
import { fields, moment, table } from '../terminal/output.js';
import type { PostOptions, Resource, Session } from '../terminal/session.js';
import { type ListOptions, moreLine, segment, withKey, withPages } from './options.js';

export function addReviewCommands(group: Command, session: Session): void {
  withPages(group.command('list'))
    .description('cases, newest first')
    .addOption(new Option('--status <status>', 'only these').choices([...reviewStatuses, 'all']).default('open'))
    .action(async (options: ListOptions & { status: string }) => {
      const { limit, cursor } = options;
      const status = options.status === 'all' ? undefined : options.status;
      await session.show(
        await session.get('/api/reviews', { status, limit, cursor }),
        'reviewPage',
        ({ items, nextCursor }) => {
          const columns = [
            { title: 'REVIEW' },
            { title: 'STATUS' },
            { title: 'KIND' },
            { title: 'SUBJECT' },
            { title: 'ATTEMPTS', align: 'right' as const },
            { title: 'SINCE' },
            { title: 'LAST ERROR' },
          ];
          const rows = items.map((item) => [
            item.id,
            item.status,
            item.kind,
            item.subject,
            item.attempts,
            moment(item.createdAt),
            item.lastError,
          ]);
          return table(columns, rows) + moreLine(nextCursor);
        },
      );
    });

  group
    .command('show')
    .description('one case, with everything known about it')
    .argument('<id>', 'the review')
    .action(async (id: string) => {
      await session.show(await session.get(`/api/reviews/${segment(id)}`), 'review', describeReview);
    });

  withKey(group.command('resolve'))
    .description('decide a case: retry it now, or record that it was settled by hand')
    .argument('<id>', 'the review')
    .addOption(
      new Option('--resolution <resolution>', 'retry: try again now; done: it was settled by hand')
        .choices(reviewDecisions)
        .makeOptionMandatory(),
    )
    .requiredOption('--note <text>', 'what you found and did')
    .action(async (id: string, options: PostOptions & { resolution: string; note: string }) => {
      const body = { resolution: options.resolution, note: options.note };
      const reply = await session.post(`/api/reviews/${segment(id)}/resolve`, body, options);
      await session.show(reply, 'review', describeReview);
    });
}

function describeReview(found: Resource<'review'>): string {
  return fields([
    ['review', found.id],
    ['status', found.status],
    ['kind', found.kind],
    ['subject', found.subject],
    ['attempts', found.attempts],
    ['last error', found.lastError],
    ['since', moment(found.createdAt)],
    ['detail', JSON.stringify(found.detail)],
    ['resolution', found.resolution === null ? null : JSON.stringify(found.resolution)],
  ]);
}
