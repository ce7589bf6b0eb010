/** The list of payments: as an array, and paged by what changed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ProcessorClient, startProcessor } from './processor.fixture.js';

let processor: ProcessorClient;
let from: string;
beforeAll(async () => {
  processor = await startProcessor();
});
beforeEach(async () => {
  // The tests before have changed nothing from this millisecond on.
  await sleep(2);
  from = new Date().toISOString();
});
afterAll(() => processor.close());

const page = async (query: Record<string, string>) =>
  (await processor.get(`/payments?${new URLSearchParams(query)}`)).body;
const ids = (items: { authorizationId: string }[]) => items.map(({ authorizationId }) => authorizationId);

/** All pages of a window, as ids page by page. */
async function pages(query: Record<string, string>): Promise<string[][]> {
  const seen: string[][] = [];
  for (let cursor: string | null = null; ; ) {
    const { items, nextCursor } = await page(cursor === null ? query : { ...query, cursor });
    seen.push(ids(items));
    if (nextCursor === null) return seen;
    cursor = nextCursor;
  }
}

describe('the list of payments', () => {
  it('is an array without a window, and has pages with any part of one', async () => {
    const id = await processor.authorized('tok_visa');
    expect(ids((await processor.get('/payments')).body)).toContain(id);
    for (const query of [{ limit: '200' }, { from }, { to: '2999-01-01T00:00:00Z', limit: '200' }])
      expect(ids((await page(query)).items)).toContain(id);
  });

  it('has each payment of a window once, the oldest change first, however many pages', async () => {
    const made: string[] = [];
    for (let n = 0; n < 5; n++) made.push(await processor.captured('tok_visa'));
    await processor.post(`${made[1]}/refund`, processor.fresh('r'), { amount: 5 });
    const inOrder = [made[0], made[2], made[3], made[4], made[1]];
    expect((await pages({ from })).flat()).toEqual(inOrder);
    const byTwo = await pages({ from, limit: '2' });
    expect(byTwo.map(({ length }) => length)).toEqual([2, 2, 1]);
    expect(byTwo.flat()).toEqual(inOrder);
  });

  it('holds still while its pages are read: what changes meanwhile is in the next window', async () => {
    const [one, two] = [await processor.captured('tok_visa'), await processor.captured('tok_visa')];
    const first = await page({ from, limit: '1' });
    expect(ids(first.items)).toEqual([one]);
    await processor.post(`${two}/refund`, processor.fresh('r'), { amount: 5 });
    const second = await page({ from, limit: '1', cursor: first.nextCursor });
    expect([ids(second.items), second.nextCursor, second.until]).toEqual([[two], null, first.until]);
    expect(await pages({ from: first.until })).toEqual([[two]]);
  });

  it('shows a reader that goes on from `until` every change: calls, by hand, disputes, and those that time brings', async () => {
    const id = await processor.captured('tok_refund_fails_late_300');
    let { until } = await page({ from });
    const changed = async () => {
      const next = await page({ from: until });
      until = next.until;
      return next.items;
    };
    expect(await changed()).toEqual([]);
    await processor.byHand(`/payments/${id}/refunds`, { amount: 7 });
    expect(await changed()).toMatchObject([{ authorizationId: id, refunded: 7, refunds: [{ amount: 7 }] }]);
    await expect.poll(changed).toMatchObject([{ refunded: 0, refunds: [{ status: 'failed' }] }]);
    const { body } = await processor.byHand(`/payments/${id}/disputes`, { reason: 'fraudulent' });
    expect(await changed()).toMatchObject([{ disputes: [{ id: body.disputeId, status: 'open' }] }]);
    await processor.byHand(`/disputes/${body.disputeId}/close`, { outcome: 'lost' });
    expect(await changed()).toMatchObject([{ disputes: [{ status: 'lost' }] }]);
    expect(await changed()).toEqual([]);
  });

  it('shows a reader a call that was slow when it acts, not when it arrived', async () => {
    const call = processor.post('authorize', processor.fresh('a'), processor.order('tok_slow_300'));
    await sleep(100);
    const { items, until } = await page({ from });
    expect(items).toEqual([]);
    const { authorizationId } = (await call).body;
    expect(await pages({ from: until })).toEqual([[authorizationId]]);
  });

  it('is of one reference, with a window too', async () => {
    const order = processor.order('tok_visa');
    const { body } = await processor.post('authorize', processor.fresh('a'), order);
    await processor.authorized('tok_visa');
    expect(await pages({ from, reference: order.reference })).toEqual([[body.authorizationId]]);
  });

  it.each([
    ['from=yesterday', 'from'],
    ['to=1', 'to'],
    ['limit=0', 'limit'],
    ['limit=201', 'limit'],
    ['limit=1.5', 'limit'],
    ['cursor=x', 'cursor'],
    ['cursor=a&cursor=b', 'cursor'],
    ['from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z', 'to'],
  ])('refuses %s and names %s', async (query, field) => {
    const { status, body } = await processor.get(`/payments?${query}`);
    expect([status, body.error.code]).toEqual([422, 'validation_failed']);
    expect(body.error.detail).toMatch(new RegExp(`^${field}: `));
  });
});
