/** Test clocks, and the lists of subscriptions. */
import { describe, expect, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import { at, clockAt, command, monthly, newCustomer, recordsOf, subscribe, subscribed } from './subscriber.js';

const shop = sharedShop();

describe('a test clock', () => {
  test('stands where it was made, to the second, until it is advanced', async () => {
    const { body } = await shop.must(201, shop.post('/api/test-clocks', { now: '2026-03-01T10:00:00.75+01:00' }));
    expect(body).toEqual({ id: expect.stringMatching(/^clk_/), now: at('2026-03-01T09:00:00Z'), status: 'ready' });
    const advanced = await shop.must(
      200,
      shop.post(`/api/test-clocks/${body.id}/advance`, { to: '2026-03-02T00:00:00Z' }, { prefer: 'wait=30' }),
    );
    expect(advanced.body).toEqual({ ...body, now: at('2026-03-02T00:00:00Z') });
    expect((await shop.must(200, shop.get(`/api/test-clocks/${body.id}`))).body).toEqual(advanced.body);
  });

  test('goes only forward', async () => {
    const clock = await clockAt(shop, '2026-03-01T00:00:00Z');
    const back = await shop.post(`/api/test-clocks/${clock}/advance`, { to: '2026-02-28T23:59:59Z' });
    expect([back.status, back.body.code, back.body.errors[0].pointer]).toEqual([422, 'validation_failed', '/to']);
    // It stands there already: whatever was due is done.
    const here = await shop.post(`/api/test-clocks/${clock}/advance`, { to: '2026-03-01T00:00:00Z' });
    expect([here.status, here.body.status]).toEqual([200, 'ready']);
  });

  test('does one advance at a time; the same again joins it', async () => {
    const clock = await clockAt(shop, '2026-01-01T00:00:00Z');
    // Ten renewals of 0.8 s each.
    const request = { testClock: clock, plan: { ...monthly, interval: 'day' }, cardToken: 'tok_slow_400' };
    const id = await subscribed(shop, request);
    const ask = (to: string, wait: string) => shop.post(`/api/test-clocks/${clock}/advance`, { to }, { prefer: wait });
    const asked = await shop.must(202, ask('2026-01-11T00:00:00Z', 'respond-async'));
    expect(asked.body.status).toBe('advancing');
    const other = await shop.must(409, ask('2026-01-12T00:00:00Z', 'respond-async'));
    expect(other.body).toMatchObject({ code: 'invalid_state', from: 'advancing', to: 'advancing' });
    const joined = await shop.must(200, ask('2026-01-11T00:00:00Z', 'wait=30'));
    expect(joined.body).toEqual({ id: clock, now: at('2026-01-11T00:00:00Z'), status: 'ready' });
    expect(await recordsOf(shop, id)).toHaveLength(11);
  });

  test('that does not exist is 404, and 422 in a subscription', async () => {
    const clock = 'clk_00000000000000000000000000000000';
    expect((await shop.get(`/api/test-clocks/${clock}`)).status).toBe(404);
    expect((await shop.post(`/api/test-clocks/${clock}/advance`, { to: '2030-01-01T00:00:00Z' })).status).toBe(404);
    const { status, body } = await subscribe(shop, { testClock: clock });
    expect([status, body.errors[0].pointer]).toEqual([422, '/testClock']);
  });
});

describe('subscriptions', () => {
  test('are listed newest first, by customer and by status, a page at a time', async () => {
    const customerId = newCustomer();
    const ids: string[] = [];
    for (let n = 0; n < 3; n++) ids.unshift(await subscribed(shop, { customerId }));
    await shop.must(200, command(shop, ids[1] ?? '', 'cancel'));
    const list = async (query: string) =>
      (await shop.must(200, shop.get(`/api/subscriptions?customerId=${customerId}&${query}`))).body;
    const all = await list('limit=2');
    const rest = await list(`limit=2&cursor=${all.nextCursor}`);
    const idsOf = (page: { items: { id: string }[] }) => page.items.map(({ id }) => id);
    expect([...idsOf(all), ...idsOf(rest)]).toEqual(ids);
    expect([rest.nextCursor, idsOf(await list('status=cancelled'))]).toEqual([null, [ids[1]]]);
    for (const id of [ids[0], ids[2]]) await shop.must(200, command(shop, id ?? '', 'cancel'));
  });

  test.each([
    ['a plan by the hour', { plan: { ...monthly, interval: 'hour' } }, '/plan/interval'],
    ['a negative price', { plan: { ...monthly, amount: -1 } }, '/plan/amount'],
    ['a token of no processor', { cardToken: 'visa' }, '/cardToken'],
    ['a token of another processor', { cardToken: 'pm_card_visa' }, '/cardToken'],
    ['day 32', { anchorDay: 32 }, '/anchorDay'],
    ['an address that is none', { email: 'ada' }, '/email'],
    ['an unknown field', { colour: 'red' }, '/colour'],
  ])('with %s are refused', async (_what, request, pointer) => {
    const { status, body } = await subscribe(shop, request);
    expect([status, body.errors.map((error: { pointer: string }) => error.pointer)]).toEqual([422, [pointer]]);
  });
});
