/** Prints every boundary of many schedules over fifty years, to be compared between time zones. Run as a program. */
import { boundary } from './periods.js';
import { planIntervals } from './states.js';

const anchors = [
  ...['2024-02-29T23:59:59Z', '2026-03-01T02:00:00Z', '2026-03-29T01:30:00Z', '2026-10-25T02:30:00Z'],
  ...['2027-01-31T00:00:00Z', '2027-12-31T23:00:00Z'],
];
const counts = { day: 18_263, week: 2609, month: 600, year: 50 } as const;

for (const interval of planIntervals)
  for (const anchor of anchors)
    for (const anchorDay of [null, 31]) {
      const step = interval === 'day' ? 97 : 1;
      for (let n = 0; n <= counts[interval]; n += step)
        process.stdout.write(`${boundary({ anchor, anchorDay, interval }, n)}\n`);
    }
