/** `holdfast reservations ...` */
import type { Command } from 'commander';
import type { PostOptions, Session } from '../terminal/session.js';
import { withKey } from './options.js';

export function addReservationCommands(group: Command, session: Session): void {
  withKey(group.command('expire'))
    .description('release every hold that is past its time now, without waiting for the next sweep')
    .action(async (options: PostOptions) => {
      const reply = await session.post('/api/reservations/expire', {}, options);
      await session.show(reply, 'expired', (answer) => `expired: ${answer.expired}\n`);
    });
}
