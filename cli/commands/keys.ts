/** `holdfast keys ...` */
import type { Command } from 'commander';
import { fields, moment, table } from '../terminal/output.js';
import type { PostOptions, Session } from '../terminal/session.js';
import { example, type ListOptions, moreLine, segment, withKey, withPages } from './options.js';

export function addKeyCommands(group: Command, session: Session): void {
  withKey(group.command('create'))
    .description('create a key; its secret is shown only once')
    .requiredOption('--name <name>', 'what it is for')
    .requiredOption(
      '--scope <scope...>',
      'what it may do: orders:, inventory:, payments: or supply: with read or write; orders:price; or admin',
    )
    .addHelpText('after', example('holdfast keys create --name shop --scope orders:write orders:read'))
    .action(async (options: PostOptions & { name: string; scope: readonly string[] }) => {
      const reply = await session.post('/api/keys', { name: options.name, scopes: options.scope }, options);
      await session.show(reply, 'newApiKey', (made) =>
        fields([
          ['id', made.id],
          ['name', made.name],
          ['scopes', made.scopes.join(' ')],
          ['key', made.key],
          [
            'note',
            made.key === null
              ? 'this key already exists and its secret is not shown again; if you lost it, revoke the key and create another'
              : 'store the key now: it cannot be shown again',
          ],
        ]),
      );
    });

  withPages(group.command('list'))
    .description('all keys, without their secrets')
    .action(async (options: ListOptions) => {
      const reply = await session.get('/api/keys', { limit: options.limit, cursor: options.cursor });
      await session.show(reply, 'apiKeyPage', ({ items, nextCursor }) => {
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
    .description('revoke a key; it stops working within seconds')
    .argument('<id>', 'the id of the key (key_...), not its secret')
    .action(async (id: string) => {
      await session.show(await session.delete(`/api/keys/${segment(id)}`), 'apiKey', (key) =>
        fields([
          ['id', key.id],
          ['name', key.name],
          ['revoked', key.revokedAt && moment(key.revokedAt)],
          ['by', key.revokedBy],
        ]),
      );
    });
}
