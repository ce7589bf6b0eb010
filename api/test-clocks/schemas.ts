import { z } from 'zod';
import { latestClockTime } from '../../domain/limits.js';
import type { Shape } from '../http/route.js';
import { anyTime, id, time } from '../http/schemas.js';

export const testClockId = z.strictObject({ id: id('clk') });

const earliestClockTime = '1970-01-01T00:00:00.000000Z';

const clockTime = anyTime.refine(
  (instant) => instant === '' || (instant >= earliestClockTime && instant < latestClockTime),
  `must be from ${earliestClockTime} to before ${latestClockTime}`,
);

export const newTestClock = z.strictObject({
  now: clockTime.openapi({ description: 'Where it stands, to the second.', example: '2026-12-01T00:00:00Z' }),
});
export const advance = z.strictObject({
  to: clockTime.openapi({
    description: 'Where it is to stand, to the second: later than now.',
    example: '2027-01-01T00:00:00Z',
  }),
});

export const testClock = z
  .object({
    id: id('clk'),
    now: time.openapi({ description: 'Where it stands.', example: '2026-12-01T00:00:00.000000Z' }),
    status: z
      .enum(['ready', 'advancing'])
      .openapi({ description: '`advancing`: what is due up to the time that it is advanced to is being done.' }),
  })
  .openapi('TestClock', { description: 'A clock that tests set. Subscriptions on it see its time.' });
export type TestClock = Shape<typeof testClock>;
