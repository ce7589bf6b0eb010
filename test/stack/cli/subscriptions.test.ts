import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { newCustomer } from '../subscriptions/subscriber.js';
import { field, holdfast } from './holdfast.js';

describe('holdfast subscription', () => {
  test('starts one on a test clock once for one key, renews it, changes its plan and ends it', async () => {
    const clock =
      field((await holdfast(['test-clock', 'create', '--now', '2026-04-01T00:00:00Z'])).out, 'test clock') ?? '';
    const customer = newCustomer();
    const plan = ['--plan', '10.00 USD/month'];
    const key = ['--idempotency-key', randomUUID(), '--wait', '30'];
    const create = ['subscription', 'create', '--customer', customer, ...plan, '--card', 'tok_visa', '--clock', clock];
    const made = await holdfast([...create, ...key]);
    expect(made).toMatchObject({ code: 0, err: '' });
    expect(['status', 'plan', 'period'].map((name) => field(made.out, name))).toEqual([
      ...['active', '10.00 USD/month', '2026-04-01 00:00:00Z to 2026-05-01 00:00:00Z'],
    ]);
    expect((await holdfast([...create, ...key])).out).toBe(made.out);
    const id = field(made.out, 'subscription') ?? '';

    const advanced = await holdfast(['test-clock', 'advance', clock, '--to', '2026-04-16T00:00:00Z', '--wait', '30']);
    expect([advanced.code, field(advanced.out, 'now')]).toEqual([0, '2026-04-16 00:00:00Z']);
    const changed = await holdfast(['subscription', 'change', id, '--plan', '30.00 USD/month', '--wait', '30']);
    expect([field(changed.out, 'old plan'), field(changed.out, 'difference')]).toEqual([
      ...['5.00 USD credited', '10.00 USD to pay'],
    ]);
    const ended = await holdfast(['subscription', 'cancel', id, '--wait', '30']);
    expect([ended.code, field(ended.out, 'status')]).toEqual([0, 'cancelled']);
    expect((await holdfast(['subscription', 'show', id])).out).toBe(ended.out);

    const records = await holdfast(['subscription', 'records', id]);
    expect(
      records.out
        .split('\n')
        .slice(1, -1)
        .map((line) => line.split(/ {2,}/).slice(1, 3)),
    ).toEqual([
      ['proration', 'paid'],
      ['period', 'paid'],
    ]);
    const listed = await holdfast(['subscription', 'list', '--customer', customer, '--status', 'cancelled']);
    expect(listed.out).toMatch(new RegExp(`^${id} +cancelled +${customer} +30\\.00 USD/month +- `, 'm'));
  });

  test('whose card is refused says why and which one it was, and exits 1', async () => {
    const args = ['--customer', newCustomer(), '--plan', '10.00 USD/month', '--card', 'tok_declined', '--wait', '30'];
    const refused = await holdfast(['subscription', 'create', ...args]);
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toMatch(/^payment_declined: .*\n {2}subscription sub_/);
  });
});
