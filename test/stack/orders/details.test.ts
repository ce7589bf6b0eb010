/** External references, tags, notes, metadata and addresses: how they change, and how orders are found by them. */
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import type { Answer } from '../../shop.js';

const shop = sharedShop();
const usd = (amount: number) => ({ amount, currency: 'USD' });
const home = { name: 'Ada Lovelace', line1: '12 St James’s Square', city: 'London', country: 'GB' };
const post = { kind: 'shipping', name: 'Post', amount: 500, tax: 100 };

/** Opens an order with any body. */
const open = (body: object, headers: Record<string, string> = {}) =>
  shop.post('/api/orders', body, { prefer: 'wait=30', ...headers });

let sku: string;
beforeAll(async () => {
  sku = await shop.product(1_000_000, 1000);
});
const line = (more: object = {}) => ({ sku, quantity: 2, ...more });

describe('an external reference', () => {
  test('belongs to one of two orders that are opened at once, and a third learns which', async () => {
    const body = { lines: [line()], externalReference: randomUUID() };
    const answers = await Promise.all([open(body), sharedShop(1).post('/api/orders', body, { prefer: 'wait=30' })]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
    const winner = answers.find(({ status }) => status === 201)?.body.id;
    for (const { status, body: problem } of [...answers, await open(body)])
      if (status === 409) expect([problem.code, problem.orderId]).toEqual(['already_exists', winner]);
    const { body: listed } = await shop.get(`/api/orders?externalReference=${body.externalReference}`);
    expect(listed.items.map(({ id }: { id: string }) => id)).toEqual([winner]);
  });

  test('with one key sent fifty times opens one order, and each answer is the same', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const body = {
      lines: [line({ discount: 1 })],
      charges: [post],
      externalReference: randomUUID(),
      expectedTotal: usd(2599),
    };
    const send = (index: number): Promise<Answer> =>
      sharedShop(index).post('/api/orders', body, { prefer: 'wait=30', ...headers });
    const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => send(index)));
    const settled = await Promise.all(
      answers.map(async (answer, index) => {
        let last = answer;
        while (last.status === 409 && last.body.code === 'request_in_progress') last = await send(index);
        return last;
      }),
    );
    expect(new Set(settled.map(({ status, body: { id, total } }) => JSON.stringify([status, id, total]))).size).toBe(1);
    expect(settled[0]?.status).toBe(201);
  });

  test('is free again once its order has failed', async () => {
    const scarce = await shop.product(1);
    const externalReference = randomUUID();
    const lacking = { lines: [{ sku: scarce, quantity: 2 }], externalReference };
    expect((await open(lacking)).body.code).toBe('insufficient_stock');
    await shop.must(201, open({ lines: [line()], externalReference }));
  });
});

describe('the details of an order', () => {
  test('are replaced at any time, also after the end, and the timeline names no content', async () => {
    const tags = [`old-${randomUUID().slice(0, 13)}`, `kept-${randomUUID().slice(0, 13)}`];
    const { body: opened } = await shop.must(
      201,
      open({ lines: [line()], tags, note: 'old', metadata: { a: '1' }, shippingAddress: home }),
    );
    await shop.must(200, shop.cancel(opened.id));
    const path = `/api/orders/${opened.id}`;
    const change = {
      tags: tags.slice(1),
      note: null,
      metadata: { b: '2' },
      shippingAddress: { ...home, city: 'Leeds' },
    };
    const changed = await shop.must(200, shop.call('PATCH', path, change));
    expect(changed.body).toMatchObject({ ...change, status: 'cancelled', total: usd(2000) });
    expect(changed.body.metadata).toEqual({ b: '2' });
    expect(changed.body.updatedAt > opened.updatedAt).toBe(true);
    await shop.must(200, shop.call('PATCH', path, change));
    await shop.must(200, shop.call('PATCH', path, {}));
    const { body: timeline } = await shop.get(`${path}/timeline`);
    const reasons = timeline.items.map(({ reason }: { reason: string | null }) => reason);
    const entry = 'changed: metadata, note, shippingAddress, tags';
    expect(reasons.filter((reason: string | null) => reason === entry)).toHaveLength(1);
    const byTag = async (tag = '') => (await shop.get(`/api/orders?tag=${tag}`)).body.items.length;
    expect([await byTag(tags[0]), await byTag(tags[1])]).toEqual([0, 1]);
    const cleared = await shop.must(200, shop.call('PATCH', path, { shippingAddress: null }));
    expect([cleared.body.shippingAddress, cleared.body.metadata]).toEqual([null, { b: '2' }]);
  });

  test.each([
    ['of an unknown order', 'ord_0', {}, 404, 'not_found'],
    ['with an unknown field', 'ord_0', { total: usd(1) }, 422, 'validation_failed'],
    ['with metadata that are null', 'ord_0', { metadata: null }, 422, 'validation_failed'],
  ])('%s cannot be changed', async (_what, id, change, status, code) => {
    const answer = await shop.call('PATCH', `/api/orders/${id}`, change);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });
});

test('a list by tag is paged, newest first, and its filters combine', async () => {
  const tag = `list-${randomUUID().slice(0, 13)}`;
  const customer = { id: `cus-${randomUUID()}` };
  const orders: Answer['body'][] = [];
  for (const more of [{}, { customer }, { customer }])
    orders.push((await shop.must(201, open({ lines: [line()], tags: [tag, 'other'], ...more }))).body);
  const [first, second, third] = orders;
  const list = async (query: string) => {
    const { body } = await shop.must(200, shop.get(`/api/orders?tag=${tag}&${query}`));
    return { ids: body.items.map(({ id }: { id: string }) => id), nextCursor: body.nextCursor };
  };
  const page = await list('limit=2');
  expect(page.ids).toEqual([third.id, second.id]);
  expect((await list(`limit=2&cursor=${page.nextCursor}`)).ids).toEqual([first.id]);
  expect((await list(`customerId=${customer.id}&status=reserved`)).ids).toEqual([third.id, second.id]);
  expect((await list(`status=cancelled`)).ids).toEqual([]);
  expect((await list(`from=${second.createdAt}&to=${third.createdAt}`)).ids).toEqual([second.id]);
  expect((await list('channel=shop')).ids).toEqual([]);
  const { status, body } = await shop.get('/api/orders?from=yesterday');
  expect([status, body.code, body.errors[0].pointer]).toEqual([422, 'validation_failed', '/from']);
});
