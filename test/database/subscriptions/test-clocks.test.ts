/** A test clock stands only where all that was due up to there is done. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { unsettledSagas } from '../../../db/reviews/lost-sagas.js';
import {
  createTestClock,
  endAdvance,
  getTestClock,
  isPast,
  moveClock,
  startAdvance,
} from '../../../db/subscriptions/test-clocks.js';
import { Books } from '../books.js';

let books: Books;
beforeAll(async () => {
  books = await Books.open();
});
afterAll(() => books.close());

const by = { actor: 'test', requestId: 'req_test' };
const begin = '2027-01-01T00:00:00Z';
const to = '2027-02-01T00:00:00Z';
const later = '2027-03-01T00:00:00Z';

test('a clock that has reached its target with work left is still advancing, and can be claimed and resumed', async () => {
  const { sql, db } = books.connection;
  const id = `clk_${randomUUID()}`;
  const isPastTo = async () => {
    const clock = await getTestClock(db, id);
    return clock !== null && isPast(clock, to);
  };
  const workflowId = `test-clock/${id}`;
  await createTestClock(db, { id, now: begin, by });
  await createTestClock(db, { id, now: begin, by });
  expect(await unsettledSagas(sql, [workflowId])).toEqual([]);
  expect(await startAdvance(db, id, to)).toBe('started');
  await moveClock(sql, id, to);
  expect(await isPastTo()).toBe(false);
  expect(await unsettledSagas(sql, [workflowId])).toEqual([workflowId]);
  expect(await startAdvance(db, id, later)).toBe('busy');
  expect(await startAdvance(db, id, to)).toBe('started');
  await endAdvance(db, id, to, by);
  await endAdvance(db, id, to, by);
  expect(await isPastTo()).toBe(true);
  expect(await unsettledSagas(sql, [workflowId])).toEqual([]);
  expect(await startAdvance(db, id, to)).toBe('past');
  expect(await startAdvance(db, id, later)).toBe('started');
  const said = await sql`
    select action, actor, request_id as "requestId" from audit_log where subject = ${`test_clock/${id}`} order by id`;
  expect(said).toEqual([
    { action: 'test_clock.created', actor: 'test', requestId: 'req_test' },
    { action: 'test_clock.advanced', actor: 'test', requestId: 'req_test' },
  ]);
});
