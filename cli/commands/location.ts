/** `holdfast location ...` */
import type { Command } from 'commander';
import { fields, moment, table } from '../terminal/output.js';
import type { PostOptions, Session } from '../terminal/session.js';
import { code } from '../terminal/values.js';
import { example, type ListOptions, moreLine, withKey, withPages } from './options.js';

export function addLocationCommands(group: Command, session: Session): void {
  withKey(group.command('create'))
    .description('add a location')
    .argument('<code>', 'its code, as used in --location', code)
    .requiredOption('--name <name>', 'what people call it')
    .addHelpText('after', example('holdfast location create berlin --name "Berlin warehouse"'))
    .action(async (locationCode: string, options: PostOptions & { name: string }) => {
      const reply = await session.post('/api/locations', { code: locationCode, name: options.name }, options);
      await session.show(reply, 'location', (made) =>
        fields([
          ['location', made.code],
          ['name', made.name],
          ['created', moment(made.createdAt)],
        ]),
      );
    });

  withPages(group.command('list'))
    .description('locations, newest first')
    .action(async ({ limit, cursor }: ListOptions) => {
      const reply = await session.get('/api/locations', { limit, cursor });
      await session.show(reply, 'locationPage', ({ items, nextCursor }) => {
        const columns = [{ title: 'LOCATION' }, { title: 'NAME' }, { title: 'CREATED' }];
        const rows = items.map((item) => [item.code, item.name, moment(item.createdAt)]);
        return table(columns, rows) + moreLine(nextCursor);
      });
    });
}
