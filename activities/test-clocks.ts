/** Advancing a test clock: every subscription on it does what is due, in order of time. */
import { heartbeat } from '@temporalio/activity';
import type { Connection } from '../db/postgres/client.js';
import {
  type AdvanceStart,
  type DueOnClock,
  dueOnClock,
  endAdvance,
  getTestClock,
  moveClock,
  nextOnClock,
  startAdvance,
} from '../db/subscriptions/test-clocks.js';
import type { AskedBy } from '../domain/steps.js';

export interface TestClockDependencies {
  readonly connection: Pick<Connection, 'sql' | 'db'>;
  /** Has a subscription do what is due, and waits until it has. `updateId` makes a repetition the same. */
  readonly advance: (subscriptionId: string, updateId: string, to: string) => Promise<void>;
}

/** Of an advance whose workflow began before it said who asked for it. */
const unknown: AskedBy = { actor: 'test clock', requestId: null };
/** Subscriptions that work at once. */
const atOnce = 20;

export function testClockActivities({ connection: { sql, db }, advance }: TestClockDependencies) {
  /** Repeated for a subscription that changed meanwhile: the version is part of the update's id. */
  async function doAll(clockId: string, at: string): Promise<void> {
    for (;;) {
      const due = await dueOnClock(sql, clockId, at, atOnce);
      if (due.length === 0) return;
      await Promise.all(due.map(({ id, version }: DueOnClock) => advance(id, `${clockId}/${at}/${version}`, at)));
      heartbeat();
    }
  }

  return {
    /** Claims the clock. The same `to` again is the same advance. */
    startAdvance: (clockId: string, to: string): Promise<AdvanceStart> => startAdvance(db, clockId, to),

    /** Moves the clock from one due instant to the next, up to `to`. May be repeated from any point. */
    async advanceClock(clockId: string, to: string, by: AskedBy = unknown): Promise<void> {
      const beating = setInterval(heartbeat, 2000);
      try {
        // What a lost attempt has begun comes first.
        const clock = await getTestClock(db, clockId);
        if (clock !== null) await doAll(clockId, clock.now);
        for (let at = await nextOnClock(sql, clockId, to); at !== null; at = await nextOnClock(sql, clockId, to)) {
          await moveClock(sql, clockId, at);
          await doAll(clockId, at);
        }
        await endAdvance(db, clockId, to, by);
      } finally {
        clearInterval(beating);
      }
    },
  };
}

export type TestClockActivities = ReturnType<typeof testClockActivities>;
