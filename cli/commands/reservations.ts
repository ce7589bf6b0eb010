/** `holdfast reservations ...` */
import type { Command } from 'commander';
import type { PostOptions, Session } from '../terminal/session.js';
import { withKey } from './options.js';

export function addReservationCommands(group: Command, session: Session): void {
  withKey(group.command('expire'))
    .description('release every expired hold now instead of at the next sweep')
    .action(async (options: PostOptions) => {
      const reply = await session.post('/api/reservations/expire', {}, options);
      await session.show(reply, 'expired', (answer) => `expired: ${answer.expired}\n`);
    });
}
