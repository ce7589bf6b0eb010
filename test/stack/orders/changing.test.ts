/** PATCH of an order with anything that a client may send, and the limits of what an order carries. */
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import type { Answer } from '../../shop.js';
import { unopenedOrder } from './unopened.js';

const shop = sharedShop();
const usd = (amount: number) => ({ amount, currency: 'USD' });
const home = { name: 'Ada Lovelace', line1: '12 St James’s Square', city: 'London', country: 'GB' };
const errorOf = ({ status, body }: Answer) => [status, body.code, body.errors?.[0]?.pointer, body.errors?.[0]?.code];
const numbered = (count: number) => Array.from({ length: count }, (_, n) => `t${n}`);
/** JSON that JSON.stringify cannot write. */
const nested = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;

let sku: string;
let path: string;
beforeAll(async () => {
  sku = await shop.product(1_000_000, 1000);
  const { body } = await shop.must(201, shop.order({ lines: [{ sku, quantity: 1 }] }));
  path = `/api/orders/${body.id}`;
});
const patch = (body: unknown) => shop.call('PATCH', path, body);
const stored = async () => (await shop.must(200, shop.get(path))).body;

/** Sends JSON as it stands, so that its keys are not JavaScript's. */
async function patchText(text: string): Promise<Answer> {
  const answer = await fetch(`${inject('apiUrls')[0]}${path}`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${inject('apiKey')}`, 'content-type': 'application/json' },
    body: text,
  });
  return { status: answer.status, headers: answer.headers, body: await answer.json() };
}

describe('a field of an order', () => {
  test.each<[string, unknown]>([
    ['metadata', { campaign: 'spring', empty: '' }],
    ['metadata', { constructor: 'x', toString: 'y', 'a.b/c~d': 'z', "'; drop table orders; --": '%s \\0' }],
    ['metadata', {}],
    ['tags', ['two words', 'Größe', '100%', 'a,b', '\u0007bell', '{"a"}', 'null']],
    ['tags', []],
    ['note', 'two\r\nlines\tand \u001b[31mcolour'],
    ['note', null],
    ['shippingAddress', { ...home, line2: 'c/o Babbage', phone: '+44 20 7946 0000' }],
    ['shippingAddress', null],
  ])('%s may be %j, and reads as it was given', async (field, value) => {
    const { body } = await shop.must(200, patch({ [field]: value }));
    expect(body[field]).toEqual(value);
    expect((await stored())[field]).toEqual(value);
  });

  test('may be as large as its limit, counted in characters', async () => {
    const largest = {
      metadata: Object.fromEntries(numbered(50).map((name) => [name.padEnd(40, 'k'), 'é😀'.repeat(250)])),
      tags: numbered(20).map((tag) => tag + '😀'.repeat(40 - tag.length)),
      note: '😀'.repeat(2000),
      shippingAddress: { ...home, line2: '😀'.repeat(200) },
    };
    await shop.must(200, patch(largest));
    expect(await stored()).toMatchObject(largest);
    await shop.must(200, patch({ metadata: {}, tags: [], note: null, shippingAddress: null }));
  });

  test.each<[string, object, string, string]>([
    ['metadata', { a: 'x'.repeat(501) }, '/metadata/a', 'too_big'],
    ['51 keys of metadata', Object.fromEntries(numbered(51).map((name) => [name, ''])), '/metadata', 'invalid'],
    ['a tag', ['x'.repeat(41)], '/tags/0', 'too_big'],
    ['21 tags', numbered(21), '/tags', 'too_big'],
    ['21 tags, all the same,', Array(21).fill('same'), '/tags', 'too_big'],
  ])('may not be larger: %s', async (_what, value, pointer, code) => {
    const field = Array.isArray(value) ? 'tags' : 'metadata';
    expect(errorOf(await patch({ [field]: value }))).toEqual([422, 'validation_failed', pointer, code]);
  });

  test.each<[string, unknown, string, string]>([
    ['metadata', null, '/metadata', 'invalid_type'],
    ['metadata', [], '/metadata', 'invalid_type'],
    ['metadata', 'a=b', '/metadata', 'invalid_type'],
    ['metadata', { a: null }, '/metadata/a', 'invalid_type'],
    ['metadata', { a: { b: 'c' } }, '/metadata/a', 'invalid_type'],
    ['metadata', { a: 'NUL \0' }, '/metadata/a', 'invalid'],
    ['metadata', { a: '\ud800' }, '/metadata/a', 'invalid'],
    ['metadata', { '': 'x' }, '/metadata/', 'invalid_key'],
    ['tags', null, '/tags', 'invalid_type'],
    ['tags', 'gift', '/tags', 'invalid_type'],
    ['tags', [''], '/tags/0', 'too_small'],
    ['tags', ['ok', 7], '/tags/1', 'invalid_type'],
    ['note', '', '/note', 'too_small'],
    ['note', 7, '/note', 'invalid_type'],
    ['shippingAddress', {}, '/shippingAddress/line1', 'required'],
    ['shippingAddress', 'London', '/shippingAddress', 'invalid_type'],
    ['shippingAddress', { ...home, country: 'gb' }, '/shippingAddress/country', 'invalid'],
    ['shippingAddress', { ...home, line1: null }, '/shippingAddress/line1', 'invalid_type'],
    ['shippingAddress', { ...home, colour: 'red' }, '/shippingAddress/colour', 'unknown_field'],
    ['billingAddress', home, '/billingAddress', 'unknown_field'],
    ['externalReference', 'other', '/externalReference', 'unknown_field'],
    ['channel', 'shop', '/channel', 'unknown_field'],
    ['total', usd(1), '/total', 'unknown_field'],
    ['status', 'confirmed', '/status', 'unknown_field'],
  ])('%s may not be %j, and nothing changes', async (field, value, pointer, code) => {
    const before = await stored();
    expect(errorOf(await patch({ [field]: value, note: field === 'note' ? value : 'changed' }))).toEqual([
      ...[422, 'validation_failed', pointer, code],
    ]);
    expect(await stored()).toEqual(before);
  });
});

describe('hostile input', () => {
  test('of 10,000 tags gets a short answer', async () => {
    for (const tags of [numbered(10_000), Array(10_000).fill(0)]) {
      const answer = await patch({ tags });
      expect(errorOf(answer).slice(0, 2)).toEqual([422, 'validation_failed']);
      expect(JSON.stringify(answer.body).length).toBeLessThan(20_000);
    }
  });

  test.each([
    ['the whole body', nested],
    ['metadata', `{"metadata": {"a": ${nested}}}`],
    ['tags', `{"tags": ${nested}}`],
    ['an address', `{"shippingAddress": {"line1": ${nested}, "city": "x", "country": "GB"}}`],
  ])('that is nested 50,000 deep in %s is refused like any other', async (_where, text) => {
    expect(errorOf(await patchText(text)).slice(0, 2)).toEqual([422, 'validation_failed']);
  });

  test.each([
    ['the order', '{"__proto__": {"note": "polluted"}}', '/__proto__'],
    ['metadata', '{"metadata": {"__proto__": "polluted"}}', '/metadata'],
    [
      'an address',
      `{"shippingAddress": {"__proto__": {"line1": "x"}, "city": "x", "country": "GB"}}`,
      '/shippingAddress',
    ],
    ['tags', '{"tags": {"__proto__": ["polluted"], "length": 1}}', '/tags'],
  ])('with a key __proto__ in %s is refused, and nothing changes', async (_where, text, pointer) => {
    const before = await stored();
    const answer = await patchText(text);
    expect([answer.status, answer.body.code]).toEqual([422, 'validation_failed']);
    expect(answer.body.errors[0].pointer).toContain(pointer);
    expect(await stored()).toEqual(before);
  });

  test('of more than 256 KiB is 413', async () => {
    expect((await patch({ note: 'x'.repeat(256 * 1024) })).status).toBe(413);
  });

  test.each([
    ['with NUL', 'a%00b'],
    ['that is too long', 'x'.repeat(41)],
    ['that is empty', ''],
  ])('in a tag of the list, %s, is refused', async (_what, tag) => {
    expect(errorOf(await shop.get(`/api/orders?tag=${tag}`)).slice(0, 3)).toEqual([422, 'validation_failed', '/tag']);
  });
});

describe('a tag', () => {
  test('finds its order as it was given, and nothing that only looks like it', async () => {
    const tag = `Größe 40%, "x"_${randomUUID().slice(0, 8)}`;
    await shop.must(200, patch({ tags: [tag] }));
    const found = async (text: string) =>
      (await shop.must(200, shop.get(`/api/orders?tag=${encodeURIComponent(text)}`))).body.items.length;
    expect(await found(tag)).toBe(1);
    for (const other of [tag.toLowerCase(), tag.slice(0, -1), tag.replace('_', '%'), `${tag} `])
      expect(await found(other)).toBe(0);
  });

  test('changed fifty times at once is that of one of the changes, also in the list', async () => {
    const tags = numbered(50).map((tag) => `${tag}-${randomUUID().slice(0, 8)}`);
    await Promise.all(tags.map((tag, index) => sharedShop(index).call('PATCH', path, { tags: [tag], note: tag })));
    const { tags: kept, note } = await stored();
    expect(kept).toEqual([note]);
    const lists = await Promise.all(
      tags.map(async (tag) => (await shop.get(`/api/orders?tag=${tag}`)).body.items.length),
    );
    expect(lists).toEqual(tags.map((tag) => (tag === note ? 1 : 0)));
  });
});

describe('an order that no worker has opened yet', () => {
  test('shows its details, and says that it cannot be changed yet', async () => {
    const orderId = `ord_${randomUUID()}`;
    const details = {
      ...{ shippingAddress: home, billingAddress: null, externalReference: randomUUID(), channel: null },
      ...{ metadata: { a: 'b' }, tags: ['gift'], note: 'Wrap it.' },
    };
    const line = { sku, quantity: 2, location: 'main', reservationId: `rsv_${randomUUID()}` };
    const remove = await unopenedOrder(orderId, { lines: [line], details });
    try {
      const { body } = await shop.must(200, shop.get(`/api/orders/${orderId}`));
      expect(body).toMatchObject({ ...details, status: 'pending', total: usd(2000) });
      for (const change of [{ note: 'x' }, {}]) {
        const { status, body: problem } = await shop.call('PATCH', `/api/orders/${orderId}`, change);
        expect([status, problem.code, problem.orderId, problem.from]).toEqual([
          ...[409, 'invalid_order_state', orderId, 'pending'],
        ]);
      }
      // What cannot be right is refused as on any order.
      expect(errorOf(await shop.call('PATCH', `/api/orders/${orderId}`, { note: '' }))[0]).toBe(422);
    } finally {
      await remove();
    }
  });
});

describe('an external reference', () => {
  const open = (externalReference: unknown) =>
    shop.post('/api/orders', { lines: [{ sku, quantity: 1 }], externalReference }, { prefer: 'wait=30' });

  test('is kept to the letter, and a second order with it names the first', async () => {
    const { body: first } = await shop.must(201, open(`Größe/#${randomUUID()}${'😀'.repeat(200)}`));
    const again = await open(first.externalReference);
    expect([again.status, again.body.code, again.body.orderId]).toEqual([409, 'already_exists', first.id]);
    await shop.must(201, open(first.externalReference.toLowerCase()));
    const query = new URLSearchParams({ externalReference: first.externalReference });
    const { body: found } = await shop.get(`/api/orders?${query}`);
    expect(found.items.map(({ id }: { id: string }) => id)).toEqual([first.id]);
  });

  test('belongs to its order also after that is cancelled', async () => {
    const reference = randomUUID();
    const { body } = await shop.must(201, open(reference));
    await shop.must(200, shop.cancel(body.id));
    expect((await open(reference)).body).toMatchObject({ code: 'already_exists', orderId: body.id });
  });

  test.each([
    ['null', null],
    ['a number', 7],
    ['empty', ''],
    ['256 characters', 'x'.repeat(256)],
    ['text with NUL', 'NUL \0'],
  ])('cannot be %s', async (_what, reference) => {
    expect(errorOf(await open(reference)).slice(0, 3)).toEqual([422, 'validation_failed', '/externalReference']);
  });
});
