import { describe, expect, it } from 'vitest';
import { answered, holdfast } from './holdfast.fixture.js';

const stock = (holds: number, reservationCount?: number) => ({
  ...{ sku: 'MUG', onHand: 90, reserved: holds, available: 90 - holds, inTransit: 0, locations: [] },
  reservations: Array.from({ length: holds }, (_, n) => ({
    ...{ id: `rsv_${n}`, quantity: 1, location: 'main', expiresAt: null, orderId: null },
  })),
  ...(reservationCount !== undefined && { reservationCount }),
});

describe('holdfast', () => {
  it('says that there are more holds than it shows, and where to find them', async () => {
    const some = await holdfast(['stock', 'show', 'MUG'], answered(200, stock(20, 25)));
    expect(some.out).toContain('\nthe newest 20 of 25 holds; GET /api/inventory/MUG/reservations lists them all\n');
    for (const all of [stock(20, 20), stock(20), stock(0, 0)])
      expect((await holdfast(['stock', 'show', 'MUG'], answered(200, all))).out).not.toContain('newest');
  });

  it('says how long to wait after too many requests', async () => {
    const refused = { code: 'rate_limited', detail: 'more than 6000 requests in a minute' };
    expect(await holdfast(['stock', 'list'], answered(429, refused, { 'Retry-After': '37' }))).toMatchObject({
      code: 1,
      out: '',
      err: 'rate_limited: more than 6000 requests in a minute\n  try again in 37 s\n',
    });
  });

  it('says in one line that an answer does not come from the API', async () => {
    const ended = await holdfast(['stock', 'list'], answered(200, { hello: 'world' }));
    expect(ended).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/^holdfast: .*another version\?\n$/) });
  });
});
