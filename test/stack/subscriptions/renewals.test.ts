/** What becomes of a subscription whose card is refused, and which mails say so. */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import { eventually } from '../../shop.js';
import { Clocked } from './clocked.js';

const shop = sharedShop();
let clocked: Clocked;
beforeEach(async () => {
  clocked = new Clocked();
  await clocked.begin('2027-01-01T00:00:00Z');
});
afterEach(() => clocked.close());

const newEmail = () => `${randomUUID()}@example.com`;

/** An active subscription whose next renewal meets this card. */
async function renewingWith(cardToken: string, backupCardToken: string | null = null) {
  const email = newEmail();
  const { id } = await clocked.subscribe({ email });
  expect(await clocked.command(id, 'paymentMethod', { cardToken, backupCardToken })).toMatchObject({ kind: 'done' });
  return { id, email };
}

const statusAt = async (id: string, to: string) => {
  await clocked.advance(to);
  return (await clocked.row(id)).status;
};

async function mails(email: string, count: number): Promise<string[]> {
  await eventually('the mails', async () => (await shop.mailTo(email)).length >= count);
  return (await shop.mailTo(email)).map(({ subject }) => subject.replace(/pay_\w+/, 'pay')).sort();
}

describe('a renewal that is refused', () => {
  test('is tried three times, each as a new operation, with a mail at the first refusal and one after the last', async () => {
    const { id, email } = await renewingWith('tok_declined');
    expect(await statusAt(id, '2027-02-01T00:00:00Z')).toBe('past_due');
    expect(await statusAt(id, '2027-02-01T00:59:59Z')).toBe('past_due');
    expect((await clocked.records(id)).at(-1)).toMatchObject({ status: 'failed', attempts: 1 });
    expect(await statusAt(id, '2027-02-01T01:00:00Z')).toBe('past_due');
    expect((await clocked.records(id)).at(-1)).toMatchObject({ status: 'failed', attempts: 2 });
    expect(await statusAt(id, '2027-02-01T03:00:00Z')).toBe('unpaid');
    expect((await clocked.records(id)).at(-1)).toMatchObject({ status: 'failed', attempts: 3, charged: 1000 });
    expect(await statusAt(id, '2027-06-01T00:00:00Z')).toBe('unpaid');
    expect(await clocked.records(id)).toHaveLength(2);
    const rows = await clocked.sql`select status from payments where subscription_id = ${id} order by created_at`;
    expect(rows.map(({ status }) => status)).toEqual(['captured', 'declined', 'declined', 'declined']);
    expect(await mails(email, 3)).toEqual([
      'Receipt for pay',
      'Your subscription is past due',
      'Your subscription is unpaid',
    ]);
  });

  test('and paid at a later attempt is active again, without a gap', async () => {
    const { id, email } = await renewingWith('tok_declined');
    expect(await statusAt(id, '2027-02-01T00:30:00Z')).toBe('past_due');
    expect(await clocked.command(id, 'paymentMethod', { cardToken: 'tok_visa', backupCardToken: null })).toMatchObject({
      ...{ kind: 'done', status: 'active' },
    });
    expect((await clocked.records(id)).at(-1)).toMatchObject({
      ...{ status: 'paid', attempts: 2, start: '2027-02-01 00:00:00', end: '2027-03-01 00:00:00' },
    });
    expect(await statusAt(id, '2027-03-01T00:00:00Z')).toBe('active');
    expect(await clocked.captured(id)).toBe(3000);
    expect(await mails(email, 4)).toEqual([...Array(3).fill('Receipt for pay'), 'Your subscription is past due']);
  });

  test.each([
    ['tok_lost_card', 'Your subscription is unpaid'],
    ['tok_authentication_required', 'Your subscription is unpaid: your bank wants you to confirm'],
  ])('with %s is not tried again', async (token, subject) => {
    const { id, email } = await renewingWith(token);
    expect(await statusAt(id, '2027-02-02T00:00:00Z')).toBe('unpaid');
    expect((await clocked.records(id)).at(-1)).toMatchObject({ status: 'failed', attempts: 1 });
    expect(await mails(email, 2)).toEqual(['Receipt for pay', subject]);
  });

  test('on the primary card is paid by the backup card', async () => {
    const { id } = await renewingWith('tok_declined', 'tok_visa');
    expect(await statusAt(id, '2027-02-01T00:00:00Z')).toBe('active');
    expect((await clocked.records(id)).at(-1)).toMatchObject({ status: 'paid', attempts: 1 });
  });

  test('until its period is over leaves it unpaid, and no attempt is made after that', async () => {
    const plan = { amount: 500, currency: 'USD', interval: 'day' } as const;
    const { id } = await clocked.subscribe({ plan, dunningWaitsSeconds: [50_000, 50_000] });
    await clocked.command(id, 'paymentMethod', { cardToken: 'tok_declined', backupCardToken: null });
    expect(await statusAt(id, '2027-01-02T23:59:59Z')).toBe('past_due');
    expect(await statusAt(id, '2027-01-03T00:00:00Z')).toBe('unpaid');
    expect((await clocked.records(id)).map(({ status, attempts }) => [status, attempts])).toEqual([
      ['paid', 1],
      ['failed', 2],
    ]);
  });

  test('leaves an unpaid subscription that another card pays at once, while its period runs', async () => {
    const { id } = await renewingWith('tok_lost_card');
    expect(await statusAt(id, '2027-02-10T00:00:00Z')).toBe('unpaid');
    const answer = await clocked.command(id, 'paymentMethod', { cardToken: 'tok_visa', backupCardToken: null });
    expect(answer).toMatchObject({ kind: 'done', status: 'active' });
    expect((await clocked.records(id)).map(({ status }) => status)).toEqual(['paid', 'paid']);
    expect(await statusAt(id, '2027-03-01T00:00:00Z')).toBe('active');
  });

  test('leaves an unpaid subscription that a resumption begins anew: what was not paid is void', async () => {
    const { id } = await renewingWith('tok_lost_card');
    expect(await statusAt(id, '2027-04-10T00:00:00Z')).toBe('unpaid');
    await clocked.command(id, 'paymentMethod', { cardToken: 'tok_visa', backupCardToken: null });
    expect((await clocked.row(id)).status).toBe('unpaid');
    expect(await clocked.command(id, 'resume')).toMatchObject({ kind: 'done', status: 'active' });
    expect((await clocked.records(id)).map(({ status, start }) => [status, start])).toEqual([
      ['paid', '2027-01-01 00:00:00'],
      ['void', '2027-02-01 00:00:00'],
      ['paid', '2027-04-10 00:00:00'],
    ]);
  });
});

describe('a first charge that is refused', () => {
  test('leaves a cancelled subscription with its failure, and no money', async () => {
    const { id, answer } = await clocked.subscribe({ cardToken: 'tok_insufficient_funds' });
    expect(answer).toMatchObject({
      ...{ kind: 'refused', status: 'cancelled' },
      refusal: { code: 'insufficient_funds', extensions: { subscriptionId: id } },
    });
    const [row] = await clocked.sql`select status, failure_code, card, next_at from subscriptions where id = ${id}`;
    expect(row).toEqual({ status: 'cancelled', failure_code: 'insufficient_funds', card: null, next_at: null });
    expect(await clocked.captured(id)).toBe(0);
  });

  test('is refused on a later start as well', async () => {
    const { id, answer } = await clocked.subscribe({ cardToken: 'tok_declined', startAt: '2027-01-05T12:00:00Z' });
    expect(answer).toMatchObject({ kind: 'done', status: 'scheduled' });
    expect(await statusAt(id, '2027-01-05T11:59:59Z')).toBe('scheduled');
    expect(await statusAt(id, '2027-01-05T12:00:00Z')).toBe('cancelled');
  });

  test('by the fraud scorer is blocked, and a renewal is not scored', async () => {
    const blocked = await clocked.subscribe({ cardToken: 'tok_fraud' });
    expect(blocked.answer).toMatchObject({ kind: 'refused', refusal: { code: 'fraud_suspected' } });
    const { id } = await renewingWith('tok_fraud');
    expect(await statusAt(id, '2027-02-01T00:00:00Z')).toBe('active');
  });
});
