/** `holdfast reviews ...` */
import { type Command, Option } from 'commander';
import type { z } from 'zod';
import { fields, moment, table } from '../output.js';
import { listOf, review } from '../resources.js';
import type { PostOptions, Session } from '../session.js';
import { type ListOptions, moreLine, segment, withKey, withPages } from './options.js';

export function addReviewCommands(program: Command, session: Session): void {
  const group = program.command('reviews').description('cases that a person must look at');

  withPages(group.command('list'))
    .description('cases, newest first')
    .addOption(new Option('--status <status>', 'which').choices(['open', 'resolved', 'all']).default('open'))
    .action(async (options: ListOptions & { status: string }) => {
      const { limit, cursor } = options;
      const status = options.status === 'all' ? undefined : options.status;
      session.show(
        await session.get('/api/reviews', { status, limit, cursor }),
        listOf(review),
        ({ items, nextCursor }) => {
          const columns = [
            { title: 'REVIEW' },
            { title: 'STATUS' },
            { title: 'KIND' },
            { title: 'SUBJECT' },
            { title: 'TRIES', align: 'right' as const },
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
    .description('one case, with all that is known of it')
    .argument('<id>', 'the review')
    .action(async (id: string) => {
      session.show(await session.get(`/api/reviews/${segment(id)}`), review, describeReview);
    });

  withKey(group.command('resolve'))
    .description('decide a case: have it tried at once, or say that it was done by hand')
    .argument('<id>', 'the review')
    .addOption(
      new Option('--resolution <resolution>', 'retry or done').choices(['retry', 'done']).makeOptionMandatory(),
    )
    .requiredOption('--note <text>', 'what you found and did')
    .action(async (id: string, options: PostOptions & { resolution: string; note: string }) => {
      const body = { resolution: options.resolution, note: options.note };
      const reply = await session.post(`/api/reviews/${segment(id)}/resolve`, body, options);
      session.show(reply, review, describeReview);
    });
}

function describeReview(found: z.infer<typeof review>): string {
  return fields([
    ['review', found.id],
    ['status', found.status],
    ['kind', found.kind],
    ['subject', found.subject],
    ['tries', found.attempts],
    ['last error', found.lastError],
    ['since', moment(found.createdAt)],
    ['detail', JSON.stringify(found.detail)],
    ['resolution', found.resolution === null ? null : JSON.stringify(found.resolution)],
  ]);
}
