import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answered, holdfast } from '../holdfast.fixture.js';

const usd = (amount: number) => ({ amount, currency: 'USD' });
const opened = {
  ...{ id: 'ord_1', status: 'reserved', customer: {}, lines: [], charges: [], taxesIncluded: false },
  ...{ subtotal: usd(0), discountTotal: usd(0), taxTotal: usd(0), chargeTotal: usd(0), total: usd(0) },
  ...{ shippingAddress: null, billingAddress: null, externalReference: null, channel: null, metadata: {}, tags: [] },
  ...{ note: null, payment: null, supplierReference: null, expiresAt: null, cancelReason: null, failure: null },
  ...{ workflowId: 'order/ord_1', createdAt: '2026-11-21T05:41:07.123456Z' },
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-order-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs `holdfast order create`; `content` is that of order.json in the current folder. */
async function create(args: readonly string[], content?: string | Buffer, answer = answered(201, opened)) {
  if (content !== undefined) await writeFile(join(folder, 'order.json'), content);
  return await holdfast(['order', 'create', ...args], answer, folder);
}
const fromFile = ['--file', 'order.json'];

describe('holdfast order create', () => {
  test('sends the money, the addresses and the details of its options', async () => {
    const lines = ['--line', 'MUG:2,price=9.99 USD,discount=0.98,tax=1.90,name=Gift set', '--line', 'PEN:1@east'];
    const money = ['--charge', 'shipping:Post:4.90:0.78', '--taxes-included', '--expected-total', '24.90 USD'];
    const to = ['--ship-to', 'line1=12 High Street;city=London;country=GB', '--bill-to', 'line1=x;city=y;country=DE'];
    const more = [
      '--external-reference',
      'web-1',
      '--metadata',
      'a=b=c',
      '--metadata',
      'd=',
      '--tag',
      'x',
      '--tag',
      'y',
    ];
    const ran = await create([
      ...lines,
      ...money,
      ...to,
      ...more,
      '--note',
      'Wrap it.',
      '--card',
      'tok_visa',
      '--confirm',
    ]);
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.sent.map(({ body }) => body)).toEqual([
      {
        lines: [
          { sku: 'MUG', quantity: 2, unitPrice: usd(999), discount: 98, tax: 190, name: 'Gift set' },
          { sku: 'PEN', quantity: 1, location: 'east' },
        ],
        charges: [{ kind: 'shipping', name: 'Post', amount: 490, tax: 78 }],
        ...{ taxesIncluded: true, expectedTotal: usd(2490) },
        shippingAddress: { line1: '12 High Street', city: 'London', country: 'GB' },
        billingAddress: { line1: 'x', city: 'y', country: 'DE' },
        ...{ externalReference: 'web-1', metadata: { a: 'b=c', d: '' }, tags: ['x', 'y'], note: 'Wrap it.' },
        ...{ payment: { cardToken: 'tok_visa' }, confirm: true },
      },
    ]);
  });

  test.each([
    ['a charge of an unknown kind', ['--charge', 'gift:Post:4.90']],
    ['a charge without its amount', ['--charge', 'shipping:Post']],
    ['a charge of half a cent', ['--charge', 'shipping:Post:4.905']],
    ['a negative discount', ['--line', 'MUG:1,discount=-1.00']],
    ['a discount in percent', ['--line', 'MUG:1,discount=10%']],
    ['a price without its currency', ['--line', 'MUG:1,price=9.99']],
    ['a price in a currency that is not taken', ['--line', 'MUG:1,price=999 JPY']],
    ['an expected total without its currency', ['--line', 'MUG:1', '--expected-total', '24.90']],
    ['an address with an unknown part', ['--ship-to', 'street=High Street']],
    ['metadata without a value', ['--metadata', 'campaign']],
    ['a card and an external payment', ['--external', '--card', 'tok_visa']],
    ['a file that is not there', ['--file', 'nowhere.json']],
  ])('%s is wrong usage: exit 2, and nothing is sent', async (_what, args) => {
    const ran = await create(args);
    expect([ran.code, ran.sent, ran.out]).toEqual([2, [], '']);
    expect(ran.err).not.toBe('');
  });
});

describe('holdfast order create --file', () => {
  test('sends what the file holds, and options replace its members', async () => {
    const given = { lines: [{ sku: 'MUG', quantity: 1 }], tags: ['a'], payment: { method: 'external' }, note: 'x' };
    const ran = await create([...fromFile, '--tag', 'b', '--card', 'tok_visa'], `\ufeff${JSON.stringify(given)}`);
    expect(ran.sent.map(({ body }) => body)).toEqual([{ ...given, tags: ['b'], payment: { cardToken: 'tok_visa' } }]);
  });

  test.each<[string, string | Buffer, string]>([
    ['is empty', '', 'the file is empty'],
    ['is not JSON', '{"lines": [', 'the file is not JSON'],
    ['is JSON with comments', '{ // an order\n}', 'the file is not JSON'],
    ['holds a list', '[]', 'it must be a JSON object'],
    ['holds a text', '"order"', 'it must be a JSON object'],
    ['holds null', 'null', 'it must be a JSON object'],
    ['is not UTF-8', Buffer.from([0x7b, 0xe9, 0x7d]), 'is not UTF-8'],
    ['holds NUL', '{"note": "\0"}', 'NUL'],
    ['is nested too deep', '['.repeat(200_000), 'the file is not JSON'],
  ])('that %s says so in one line, exits 2 and sends nothing', async (_what, content, why) => {
    const ran = await create(fromFile, content);
    expect([ran.code, ran.sent]).toEqual([2, []]);
    expect(ran.err).toMatch(/^holdfast: [^\n]*\n$/);
    expect(ran.err).toContain(why);
  });

  test('that is a folder says so', async () => {
    await mkdir(join(folder, 'orders'));
    expect(await create(['--file', 'orders'])).toMatchObject({ code: 2, err: expect.stringContaining('is a folder') });
  });

  test('sends members that no order has, so that the API names them', async () => {
    const problem = {
      ...{ code: 'validation_failed', detail: 'not valid: /colour', requestId: 'r' },
      errors: [{ pointer: '/colour', code: 'unknown_field', detail: 'is no field' }],
    };
    const ran = await create(fromFile, '{"colour": "red", "__proto__": {"confirm": true}}', answered(422, problem));
    expect(Object.keys(ran.sent[0]?.body as object)).toEqual(['colour', '__proto__']);
    expect([ran.code, ran.err]).toEqual([
      1,
      'validation_failed: not valid: /colour\n  /colour  unknown_field: is no field\n',
    ]);
  });
});

test('the name of a charge cannot control the terminal', async () => {
  const charges = [{ kind: 'shipping', name: '\u001b[2JPost', amount: 490, tax: 0 }];
  const ran = await create(
    [],
    undefined,
    answered(201, { ...opened, charges, chargeTotal: usd(490), total: usd(490) }),
  );
  expect(ran.out).toMatch(/^\u{fffd}\[2JPost +4\.90 USD$/mu);
});
