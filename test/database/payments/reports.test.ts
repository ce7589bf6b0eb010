/** What a processor reports is kept once, read once for each payment, and handled or left to a person. */
import { describe, expect, test } from 'vitest';
import { closeReports, leaveToPerson, openReports } from '../../../db/payments/adoption.js';
import { keepEvents } from '../../../db/payments/inbox.js';
import { newId, processorBooks } from './processor-books.js';

const { own, reviewsOf } = processorBooks();

describe('a report of a processor', () => {
  const event = (type: string, paymentIntentId: string) => ({
    ...{ id: newId('evt'), type, created: 1, ofInterest: true, paymentIntentId, namesUs: false },
  });
  async function atStripe(status: string) {
    const [paymentId, providerId] = [newId('pay'), newId('pi')];
    await own.books.sql`
      insert into payments (id, status, amount, currency, gateway, provider_reference)
      values (${paymentId}, ${status}, 100, 'USD', 'stripe', ${providerId})`;
    return providerId;
  }
  const rowsAbout = (providerId: string) => own.books.sql<{ id: number }[]>`
    select id::float8 as id from outbox where topic = 'processor' and payload->>'providerId' = ${providerId} order by id`;

  test('queues one look for each event, and none for what we know already', async () => {
    const providerId = await atStripe('captured');
    const told = [event('payment_intent.succeeded', providerId), event('refund.created', providerId)];
    expect(await keepEvents(own.books.sql, [...told, ...told])).toEqual(['stored', 'stored', 'repeated', 'repeated']);
    expect(await keepEvents(own.books.sql, told)).toEqual(['repeated', 'repeated']);
    expect(await rowsAbout(providerId)).toHaveLength(1);
  });

  test('is read once for each payment, until it is handled', async () => {
    const providerId = await atStripe('captured');
    await keepEvents(own.books.sql, [event('refund.created', providerId), event('charge.refunded', providerId)]);
    const rowIds = (await rowsAbout(providerId)).map(({ id }) => id);
    const { payments } = await openReports(own.books.sql, rowIds);
    expect(payments).toEqual([{ gateway: 'stripe', providerId, rowIds, paymentId: expect.stringMatching(/^pay_/) }]);
    await closeReports(own.books.sql, payments);
    expect((await openReports(own.books.sql, rowIds)).payments).toEqual([]);
  });

  test('that cannot be adopted opens one review of its payment, which closes when it is adopted', async () => {
    const providerId = await atStripe('captured');
    await keepEvents(own.books.sql, [event('refund.created', providerId)]);
    const rowIds = (await rowsAbout(providerId)).map(({ id }) => id);
    const { payments } = await openReports(own.books.sql, rowIds);
    for (const reported of [...payments, ...payments])
      await leaveToPerson(own.books.sql, reported, { attempts: 11, lastError: 'no room' });
    const subject = `processor/stripe/${providerId}`;
    expect(await reviewsOf(subject)).toMatchObject([{ kind: 'adoption_failed', status: 'open' }]);
    expect((await openReports(own.books.sql, rowIds)).payments).toEqual([]);
    await closeReports(own.books.sql, payments);
    expect(await reviewsOf(subject)).toMatchObject([{ status: 'resolved' }]);
  });

  test('that came before our own answer is closed without a look once we know', async () => {
    const providerId = await atStripe('pending');
    await keepEvents(own.books.sql, [event('payment_intent.succeeded', providerId)]);
    const rowIds = (await rowsAbout(providerId)).map(({ id }) => id);
    expect(rowIds).toHaveLength(1);
    await own.books.sql`update payments set status = 'captured' where provider_reference = ${providerId}`;
    expect((await openReports(own.books.sql, rowIds)).payments).toEqual([]);
    const [row] = await own.books.sql`select sent_at is not null as handled from outbox where id = any(${rowIds})`;
    expect(row).toEqual({ handled: true });
  });
});
