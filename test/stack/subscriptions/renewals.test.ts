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
});

describe('a first charge that is refused', () => {
  test('by the fraud scorer is blocked, and a renewal is not scored', async () => {
    const blocked = await clocked.subscribe({ cardToken: 'tok_fraud' });
    expect(blocked.answer).toMatchObject({ kind: 'refused', refusal: { code: 'fraud_suspected' } });
    const { id } = await renewingWith('tok_fraud');
    expect(await statusAt(id, '2027-02-01T00:00:00Z')).toBe('active');
  });
});
