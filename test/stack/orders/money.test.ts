/** The money that an order is given: what the API refuses, what an order shows, and how it is found again. */
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { sharedShop } from '../../shared.js';
import { type Answer, eventually, newEmail, Shop } from '../../shop.js';
import { temporal } from '../../temporal.js';

const shop = sharedShop();
const usd = (amount: number) => ({ amount, currency: 'USD' });
const home = { name: 'Ada Lovelace', line1: '12 St James’s Square', city: 'London', country: 'GB' };
const post = { kind: 'shipping', name: 'Post', amount: 500, tax: 100 };

/** Opens an order with any body. */
const open = (body: object, headers: Record<string, string> = {}) =>
  shop.post('/api/orders', body, { prefer: 'wait=30', ...headers });
const errorOf = ({ status, body }: Answer) => [status, body.code, body.errors?.[0]?.pointer, body.errors?.[0]?.code];

let sku: string;
beforeAll(async () => {
  sku = await shop.product(1_000_000, 1000);
});
const line = (more: object = {}) => ({ sku, quantity: 2, ...more });

describe('an order with money of its own', () => {
  test('shows all of it, adds it up to the cent, and is paid so', async () => {
    const given = {
      lines: [line({ unitPrice: usd(999), discount: 98, tax: 190, name: 'Gift set' }), { ...line(), quantity: 1 }],
      charges: [post],
      shippingAddress: home,
      billingAddress: { ...home, company: 'Analytical Engines', postalCode: 'SW1Y 4JH' },
      externalReference: randomUUID(),
      metadata: { campaign: 'spring', empty: '' },
      tags: ['gift', 'blue', 'gift'],
      note: 'Ring twice.\nThen wait.',
      expectedTotal: usd(3690),
    };
    const email = newEmail();
    const payment = { cardToken: 'tok_visa' };
    const opened = await shop.must(201, open({ ...given, customer: { email }, payment, confirm: true }));
    const shown = {
      status: 'confirmed',
      lines: [
        { name: 'Gift set', unitPrice: usd(999), subtotal: usd(1998), discount: 98, tax: 190, total: usd(2090) },
        { name: null, unitPrice: usd(1000), subtotal: usd(1000), discount: 0, tax: 0, total: usd(1000) },
      ],
      charges: [post],
      taxesIncluded: false,
      subtotal: usd(2998),
      discountTotal: usd(98),
      taxTotal: usd(290),
      chargeTotal: usd(500),
      total: usd(3690),
      shippingAddress: given.shippingAddress,
      billingAddress: given.billingAddress,
      externalReference: given.externalReference,
      channel: null,
      metadata: given.metadata,
      tags: ['gift', 'blue'],
      note: given.note,
      payment: { amount: 3690 },
    };
    expect(opened.body).toMatchObject(shown);
    expect((await shop.get(`/api/orders/${opened.body.id}`)).body).toMatchObject(shown);
    expect(await shop.books(opened.body.id)).toMatchObject([{ captured: 3690 }]);
    const found = await (await temporal()).workflow.getHandle(`order/${opened.body.id}`).describe();
    expect(found.searchAttributes.Total).toEqual([3690]);
    const [receipt] = await eventually('the receipt', async () => {
      const mails = await shop.mailTo(email);
      return mails.length > 0 && mails;
    });
    expect(receipt?.text).toContain(
      '  2 x Gift set at 9.99 USD: 19.98 USD, less 0.98 USD\n  1 x Test product at 10.00 USD: 10.00 USD\n  Post: 5.00 USD\n  Taxes: 2.90 USD\n\nTotal: 36.90 USD',
    );
  });

  test('only shows taxes that are included', async () => {
    const body = { lines: [line({ tax: 319 })], charges: [post], taxesIncluded: true, expectedTotal: usd(2500) };
    const { body: opened } = await shop.must(201, open(body));
    expect([opened.total, opened.taxTotal, opened.lines[0].total]).toEqual([usd(2500), usd(419), usd(2000)]);
  });

  test('is the same before its workflow has written it', async () => {
    const body = {
      lines: [line({ discount: 5, tax: 7, name: 'x' })],
      charges: [post],
      tags: ['t'],
      shippingAddress: home,
    };
    const { status, body: pending } = await open(body, { prefer: 'wait=0' });
    expect([201, 202]).toContain(status);
    const { body: written } = await shop.must(200, shop.get(`/api/orders/${pending.id}`));
    const money = ({ lines, ...rest }: Answer['body']) => ({
      lines: lines.map(({ reservationId: _, ...shown }: { reservationId: unknown }) => shown),
      ...Object.fromEntries(
        [
          'subtotal',
          'discountTotal',
          'taxTotal',
          'chargeTotal',
          'total',
          'charges',
          'tags',
          'shippingAddress',
          'note',
        ].map((name) => [name, rest[name]]),
      ),
    });
    expect(money(pending)).toEqual(money(written));
    expect(pending.total).toEqual(usd(2602));
  });

  test('grows by a line with money of its own', async () => {
    const { body } = await shop.must(201, open({ lines: [line()], taxesIncluded: true }));
    const lines = `/api/orders/${body.id}/lines`;
    const added = await shop.must(
      201,
      shop.post(lines, line({ unitPrice: usd(10), discount: 5, tax: 2, name: 'Card' })),
    );
    expect([added.body.total, added.body.discountTotal, added.body.lines[1].name]).toEqual([usd(2015), usd(5), 'Card']);
    expect(errorOf(await shop.post(lines, line({ discount: 2001 })))).toEqual([
      422,
      'validation_failed',
      '/discount',
      'too_big',
    ]);
    // Only the order knows that its taxes are included.
    expect(errorOf(await shop.post(lines, line({ tax: 2001 }))).slice(0, 2)).toEqual([422, 'validation_failed']);
    expect((await shop.get(`/api/orders/${body.id}`)).body.total).toEqual(usd(2015));
  });
});

describe('the money of an order that cannot stand is refused, and nothing is held', () => {
  const big = usd(99_999_999);
  test.each<[string, () => object, string, string]>([
    [
      'a discount over the subtotal',
      () => ({ lines: [line(), line({ discount: 2001 })] }),
      '/lines/1/discount',
      'too_big',
    ],
    [
      'an included tax over its line',
      () => ({ lines: [line({ tax: 2001 })], taxesIncluded: true }),
      '/lines/0/tax',
      'too_big',
    ],
    [
      'an included tax over its charge',
      () => ({ lines: [line()], charges: [{ ...post, tax: 501 }], taxesIncluded: true }),
      '/charges/0/tax',
      'too_big',
    ],
    [
      'a total over the limit',
      () => ({ lines: [{ ...line({ unitPrice: big }), quantity: 1 }], charges: [post] }),
      '/lines',
      'too_large',
    ],
    [
      'a subtotal over the limit',
      () => ({ lines: [line({ unitPrice: big, discount: 99_999_999 })] }),
      '/lines',
      'too_large',
    ],
    [
      'two currencies',
      () => ({ lines: [line(), line({ unitPrice: { amount: 1, currency: 'EUR' } })] }),
      '/lines',
      'mixed_currencies',
    ],
    ['a negative discount', () => ({ lines: [line({ discount: -1 })] }), '/lines/0/discount', 'too_small'],
    ['half a cent', () => ({ lines: [line({ tax: 0.5 })] }), '/lines/0/tax', 'invalid_type'],
    ['an unknown kind of charge', () => ({ charges: [{ ...post, kind: 'gift' }] }), '/charges/0/kind', 'invalid_value'],
    ['21 charges', () => ({ charges: Array(21).fill(post) }), '/charges', 'too_big'],
    [
      'an unknown field of an address',
      () => ({ shippingAddress: { ...home, street: 'x' } }),
      '/shippingAddress/street',
      'unknown_field',
    ],
    [
      'a country that ISO does not know',
      () => ({ shippingAddress: { ...home, country: 'UK' } }),
      '/shippingAddress/country',
      'invalid',
    ],
    [
      '51 keys of metadata',
      () => ({ metadata: Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`k${n}`, ''])) }),
      '/metadata',
      'invalid',
    ],
    [
      'a long key of metadata',
      () => ({ metadata: { ['k'.repeat(41)]: '' } }),
      `/metadata/${'k'.repeat(41)}`,
      'invalid_key',
    ],
    ['a key __proto__', () => ({ metadata: JSON.parse('{"__proto__": "x"}') }), '/metadata', 'invalid'],
    ['a value of metadata that is no text', () => ({ metadata: { a: 1 } }), '/metadata/a', 'invalid_type'],
    ['21 tags', () => ({ tags: Array.from({ length: 21 }, (_, n) => `t${n}`) }), '/tags', 'too_big'],
    ['an empty reference', () => ({ externalReference: '' }), '/externalReference', 'too_small'],
    ['a long note', () => ({ note: 'x'.repeat(2001) }), '/note', 'too_big'],
  ])('%s', async (_what, body, pointer, code) => {
    const before = await shop.stock(sku);
    expect(errorOf(await open(body()))).toEqual([422, 'validation_failed', pointer, code]);
    expect(await shop.stock(sku)).toEqual(before);
  });

  test('another total than the one expected', async () => {
    const before = await shop.stock(sku);
    const { status, body } = await open({ lines: [line({ tax: 1 })], expectedTotal: usd(2000) });
    expect([status, body.code, body.expected, body.computed]).toEqual([422, 'total_mismatch', usd(2000), usd(2001)]);
    const inEuro = { amount: 2000, currency: 'EUR' };
    expect((await open({ lines: [line()], expectedTotal: inEuro })).body.code).toBe('total_mismatch');
    expect(await shop.stock(sku)).toEqual(before);
  });

  test('and can be sent again under its key, corrected', async () => {
    const key = { 'idempotency-key': randomUUID() };
    const wrong = await open({ lines: [line()], expectedTotal: usd(1) }, key);
    expect([wrong.status, wrong.body.code]).toEqual([422, 'total_mismatch']);
    await shop.must(201, open({ lines: [line()], expectedTotal: usd(2000) }, key));
  });

  test.each([
    ['a note', { note: 'call 4242 4242 4242 4242' }],
    ['metadata', { metadata: { card: '4242424242424242' } }],
    ['an address', { shippingAddress: { ...home, line2: '5555-5555-5555-4444' } }],
  ])('a card number in %s', async (_where, body) => {
    const { status, body: problem } = await open(body);
    expect([status, problem.code]).toEqual([422, 'card_data_forbidden']);
  });

  test('a price of its own, where the key may not set prices', async () => {
    const scopes = ['orders:read', 'orders:write'];
    const { body: made } = await shop.must(201, shop.post('/api/keys', { name: 'no prices', scopes }));
    const limited = new Shop({ apiUrl: inject('apiUrls')[0] ?? '', apiKey: made.key, sandboxUrl: '' });
    const lines = [line(), line({ unitPrice: usd(1) })];
    const refused = ['price_not_allowed', '/lines/1/unitPrice', 'price_not_allowed'];
    expect(errorOf(await limited.post('/api/orders', { lines })).slice(1)).toEqual(refused);
    const catalogue = { lines: [line({ unitPrice: usd(1000), discount: 1 })] };
    const { body } = await limited.must(201, limited.post('/api/orders', catalogue, { prefer: 'wait=30' }));
    expect(body.total).toEqual(usd(1999));
    const added = await limited.post(`/api/orders/${body.id}/lines`, line({ unitPrice: usd(1001) }));
    expect([added.status, added.body.code, added.body.orderId]).toEqual([422, 'price_not_allowed', body.id]);
  });
});
