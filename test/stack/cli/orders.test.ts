import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sharedShop } from '../../shared.js';
import { field, holdfast } from './holdfast.js';

const shop = sharedShop();

describe('holdfast order', () => {
  it('opens, pays, confirms and shows an order with its timeline', async () => {
    const sku = await shop.product(5, 1250);
    const created = await holdfast([
      'order',
      'create',
      '--line',
      `${sku}:2`,
      '--email',
      'ann@example.com',
      '--wait',
      '30',
    ]);
    expect(created).toMatchObject({ code: 0, err: '' });
    const id = field(created.out, 'order') ?? '';
    expect(field(created.out, 'status')).toBe('reserved');
    expect(field(created.out, 'total')).toBe('25.00 USD');

    const confirmed = await holdfast(['order', 'confirm', id, '--card', 'tok_visa', '--wait', '30']);
    expect(confirmed).toMatchObject({ code: 0, err: '' });
    expect(field(confirmed.out, 'status')).toBe('confirmed');
    expect(field(confirmed.out, 'payment')).toMatch(/^pay_\S+ captured 25\.00 USD with the primary card$/);

    const shown = await holdfast(['order', 'show', id]);
    expect(shown).toMatchObject({ code: 0, err: '' });
    expect(shown.out).toMatch(
      /AT +FROM +TO +BY +WHY\n.* - +pending .*\n.* pending +reserved .*\n.* reserved +confirming .*\n.* confirming +confirmed /,
    );
    expect(await shop.stock(sku)).toEqual({ onHand: 3, reserved: 0, available: 3 });
  });

  it('opens an order from a file and options, shows its money, finds and changes it', async () => {
    const sku = await shop.product(5, 1250);
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-order-'));
    const file = join(folder, 'order.json');
    const reference = randomUUID();
    const tag = `cli-${reference.slice(0, 13)}`;
    await writeFile(file, JSON.stringify({ lines: [], externalReference: reference, note: 'from the file' }));
    const flags = ['--line', `${sku}:2,discount=5.00,tax=1.90,name=Blue mug`, '--charge', 'shipping:Post:4.90'];
    const more = [
      '--tag',
      tag,
      '--ship-to',
      'line1=12 High Street;city=London;country=GB',
      '--note',
      'from the option',
    ];
    const create = ['order', 'create', '--file', file, ...flags, ...more, '--wait', '30'];
    const wrong = await holdfast([...create, '--expected-total', '26.79 USD']);
    expect([wrong.code, wrong.err]).toEqual([1, 'total_mismatch: the order comes to 26.80 USD, not 26.79 USD\n']);
    const made = await holdfast([...create, '--expected-total', '26.80 USD']);
    expect(made).toMatchObject({ code: 0, err: '' });
    const shown = ['subtotal', 'discounts', 'Post', 'taxes', 'total', 'reference', 'note', 'ship to'];
    expect(shown.map((name) => field(made.out, name))).toEqual([
      '25.00 USD',
      '5.00 USD',
      '4.90 USD',
      '1.90 USD',
      '26.80 USD',
      reference,
      'from the option',
      '12 High Street, London, GB',
    ]);
    const id = field(made.out, 'order') ?? '';
    const again = await holdfast(create);
    expect([again.code, again.err]).toEqual([
      1,
      `already_exists: order ${id} has this external reference\n  order ${id}\n`,
    ]);
    const updated = await holdfast(['order', 'update', id, '--no-note', '--metadata', 'a=b', '--no-tag']);
    expect(updated).toMatchObject({ code: 0, err: '' });
    expect(['note', 'metadata', 'tags'].map((name) => field(updated.out, name))).toEqual([undefined, 'a=b', undefined]);
    expect((await holdfast(['order', 'list', '--external-reference', reference])).out).toContain(id);
    expect((await holdfast(['order', 'list', '--tag', tag])).out).not.toContain(id);
    await writeFile(file, '[]');
    expect((await holdfast(create)).code).toBe(2);
    await rm(folder, { recursive: true });
  });

  it('does all of it in one call with --confirm', async () => {
    const sku = await shop.product(5);
    const args = ['order', 'create', '--line', `${sku}:1@main`, '--confirm', '--card', 'tok_visa', '--wait', '30'];
    const made = await holdfast(args);
    expect(made).toMatchObject({ code: 0, err: '' });
    expect(field(made.out, 'status')).toBe('confirmed');
  });

  it("prints exactly the API's answer with --json, wherever --json stands", async () => {
    const sku = await shop.product(5);
    const id = await shop.reserved(sku);
    const answered = JSON.stringify((await shop.get(`/api/orders/${id}`)).body);
    for (const args of [
      ['--json', 'order', 'show', id],
      ['order', 'show', id, '--json'],
    ]) {
      const shown = await holdfast(args);
      expect(shown).toEqual({ code: 0, out: `${answered}\n`, err: '' });
    }
  });

  it('cancels an order and frees its stock', async () => {
    const sku = await shop.product(5);
    const id = await shop.reserved(sku, 4);
    const cancelled = await holdfast(['order', 'cancel', id, '--reason', 'changed my mind', '--wait', '30']);
    expect(cancelled).toMatchObject({ code: 0, err: '' });
    expect(field(cancelled.out, 'cancelled')).toBe('changed my mind');
    expect(await shop.stock(sku)).toEqual({ onHand: 5, reserved: 0, available: 5 });
  });

  it('makes one order for one idempotency key', async () => {
    const sku = await shop.product(5);
    const args = ['order', 'create', '--line', `${sku}:1`, '--idempotency-key', randomUUID(), '--json', '--wait', '30'];
    const first = await holdfast(args);
    const second = await holdfast(args);
    expect([first.code, second.code]).toEqual([0, 0]);
    expect(JSON.parse(second.out).id).toBe(JSON.parse(first.out).id);
    expect(await shop.stock(sku)).toMatchObject({ reserved: 1 });
  });

  it('makes two orders without a key', async () => {
    const sku = await shop.product(5);
    for (let n = 0; n < 2; n++) await holdfast(['order', 'create', '--line', `${sku}:1`, '--wait', '30']);
    expect(await shop.stock(sku)).toMatchObject({ reserved: 2 });
  });

  it('says on stderr why stock was refused, and exits 1', async () => {
    const sku = await shop.product(1);
    const refused = await holdfast(['order', 'create', '--line', `${sku}:2`, '--wait', '30']);
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toMatch(
      /^insufficient_stock: insufficient stock: available=1, requested=2\n {2}order ord_\w+\n$/,
    );
  });

  it('prints the problem document with --json, and exits 1', async () => {
    const refused = await holdfast(['order', 'show', 'ord_none', '--json']);
    expect(refused).toMatchObject({ code: 1, err: '' });
    expect(JSON.parse(refused.out)).toMatchObject({ code: 'not_found', status: 404 });
  });

  it('says why a card was refused and leaves the order reserved', async () => {
    const sku = await shop.product(1);
    const id = await shop.reserved(sku);
    const refused = await holdfast(['order', 'confirm', id, '--card', 'tok_declined', '--wait', '30']);
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toMatch(/^payment_declined: /);
    expect(refused.err).toContain(`  order ${id}\n`);
    expect(await shop.statusOf(id)).toBe('reserved');
  });

  it('names each wrong field', async () => {
    const sku = await shop.product(1);
    const refused = await holdfast(['order', 'create', '--line', `${sku}:1`, '--card', 'visa', '--confirm']);
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/^validation_failed: .*\n {2}\/payment\S* {2}\w+: .*\n/);
  });

  it('lists the orders of one status and one customer', async () => {
    const sku = await shop.product(5);
    const customer = `c-${randomUUID()}`;
    const reserved = await shop.reserved(sku, 1, { customer: { id: customer } });
    const cancelled = await shop.reserved(sku, 1, { customer: { id: customer } });
    await shop.must(200, shop.cancel(cancelled));
    const all = await holdfast(['order', 'list', '--customer-id', customer]);
    expect(
      all.out
        .split('\n')
        .slice(1, -1)
        .map((line) => line.split(' ')[0]),
    ).toEqual([cancelled, reserved]);
    const some = await holdfast(['order', 'list', '--customer-id', customer, '--status', 'cancelled']);
    expect(
      some.out
        .split('\n')
        .slice(1, -1)
        .map((line) => line.split(' ')[0]),
    ).toEqual([cancelled]);
    const page = await holdfast(['order', 'list', '--customer-id', customer, '--limit', '1']);
    const [, cursor = ''] = /^more: --cursor (.*)$/m.exec(page.out) ?? [];
    const rest = await holdfast(['order', 'list', '--customer-id', customer, '--limit', '1', '--cursor', cursor]);
    expect(rest.out).toContain(reserved);
    expect(rest.out).not.toContain('more:');
  });
});
