/** `holdfast reservations ...` */
import type { Command } from 'commander';
import { expired } from '../resources.js';
import type { PostOptions, Session } from '../session.js';
import { withKey } from './options.js';

export function addReservationCommands(program: Command, session: Session): void {
  const group = program.command('reservations').description('holds on stock');
  withKey(group.command('expire'))
    .description('end every hold that is past its time now, without waiting for the next sweep')
    .action(async (options: PostOptions) => {
      const reply = await session.post('/api/reservations/expire', {}, options);
      session.show(reply, expired, (answer) => `expired: ${answer.expired}\n`);
    });
}
