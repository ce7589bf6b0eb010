/** `holdfast keys ...` */
import type { Command } from 'commander';
import { fields, moment, table } from '../output.js';
import { apiKey, listOf, newApiKey } from '../resources.js';
import type { PostOptions, Session } from '../session.js';
import { type ListOptions, moreLine, segment, withKey, withPages } from './options.js';

export function addKeyCommands(program: Command, session: Session): void {
  const group = program.command('keys').description('API keys (scope admin)');

  withKey(group.command('create'))
    .description('make a key; its secret is shown this once')
    .requiredOption('--name <name>', 'what it is for')
    .requiredOption('--scope <scope...>', 'what it may do: orders:read, orders:write, inventory:read, ..., admin')
    .action(async (options: PostOptions & { name: string; scope: readonly string[] }) => {
      const reply = await session.post('/api/keys', { name: options.name, scopes: options.scope }, options);
      session.show(reply, newApiKey, (made) =>
        fields([
          ['id', made.id],
          ['name', made.name],
          ['scopes', made.scopes.join(' ')],
          ['key', made.key],
          [
            'note',
            made.key === null
              ? 'it was made, but shown only the first time: revoke it and make another where its secret was lost'
              : 'the key is not kept and cannot be shown again',
          ],
        ]),
      );
    });

  withPages(group.command('list'))
    .description('all keys, without their secrets')
    .action(async (options: ListOptions) => {
      const reply = await session.get('/api/keys', { limit: options.limit, cursor: options.cursor });
      session.show(reply, listOf(apiKey), ({ items, nextCursor }) => {
        const columns = [
          { title: 'ID' },
          { title: 'NAME' },
          { title: 'CREATED' },
          { title: 'BY' },
          { title: 'REVOKED' },
          { title: 'BY' },
          { title: 'SCOPES' },
        ];
        const rows = items.map((key) => [
          key.id,
          key.name,
          moment(key.createdAt),
          key.createdBy,
          key.revokedAt && moment(key.revokedAt),
          key.revokedBy,
          key.scopes.join(' '),
        ]);
        return table(columns, rows) + moreLine(nextCursor);
      });
    });

  group
    .command('revoke')
    .description('end the life of a key')
    .argument('<id>', 'the key (key_...), not its secret')
    .action(async (id: string) => {
      session.show(await session.delete(`/api/keys/${segment(id)}`), apiKey, (key) =>
        fields([
          ['id', key.id],
          ['name', key.name],
          ['revoked', key.revokedAt && moment(key.revokedAt)],
          ['by', key.revokedBy],
        ]),
      );
    });
}
