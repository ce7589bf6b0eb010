import { describe, expect, it } from 'vitest';
import { sharedShop } from '../../shared.js';
import { goods, whereabouts } from '../transfers/goods.js';
import { field, holdfast } from './holdfast.js';

const shop = sharedShop();

describe('holdfast transfer', () => {
  it('moves goods at once, shows the transfer and lists it', async () => {
    const { sku, from, to } = await goods(shop, 5);
    const moved = await holdfast(['transfer', sku, '2', '--from', from, '--to', to]);
    expect(moved).toMatchObject({ code: 0, err: '' });
    expect([field(moved.out, 'status'), field(moved.out, 'goods')]).toEqual(['completed', `2 of ${sku}`]);
    expect(await whereabouts(shop, sku)).toEqual({ main: 3, [to]: 2, transit: 0, held: 0 });

    const id = field(moved.out, 'transfer') ?? '';
    expect(await holdfast(['transfer', 'show', id])).toEqual(moved);
    const listed = await holdfast(['transfer', 'list', '--sku', sku, '--status', 'completed']);
    expect(listed.out).toMatch(new RegExp(`^${id} +completed +${sku} +2 +main +${to} +2 +`, 'm'));
  });

  it('ships goods, and receives fewer than were sent', async () => {
    const { sku, from, to } = await goods(shop, 5);
    const sent = await holdfast(['transfer', sku, '4', '--from', from, '--to', to, '--shipped']);
    expect(field(sent.out, 'status')).toBe('in_transit (on the way)');
    const id = field(sent.out, 'transfer') ?? '';
    const received = await holdfast(['transfer', 'receive', id, '--quantity', '3', '--reason', 'one crushed']);
    expect(received).toMatchObject({ code: 0, err: '' });
    expect(['received', 'lost', 'reason'].map((name) => field(received.out, name))).toEqual(['3', '1', 'one crushed']);
    expect(await whereabouts(shop, sku)).toEqual({ main: 1, [to]: 3, transit: 0, held: 0 });
  });

  it("calls goods back; --json prints the API's answer", async () => {
    const { sku, from, to } = await goods(shop, 5);
    const sent = await holdfast(['--json', 'transfer', sku, '4', '--from', from, '--to', to, '--shipped']);
    const { id } = JSON.parse(sent.out);
    const cancelled = await holdfast(['transfer', 'cancel', id]);
    expect(field(cancelled.out, 'status')).toBe('cancelled');
    expect(await whereabouts(shop, sku)).toEqual({ main: 5, transit: 0, held: 0 });
  });

  it('says why goods do not move, and exits 1', async () => {
    const { sku, from, to } = await goods(shop, 1);
    const refused = await holdfast(['transfer', sku, '2', '--from', from, '--to', to]);
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toMatch(/^insufficient_stock: insufficient stock: available=1, requested=2\n {2}transfer trf_/);
  });

  it.each([
    [['transfer', 'A', '1', '--from', 'main']],
    [['transfer', 'A', '0', '--from', 'main', '--to', 'b']],
    [['transfer', 'receive', 'trf_1', '--quantity', '-1']],
    [['transfer', 'list', '--status', 'lost']],
  ])('exits 2 for %j', async (args) => {
    expect(await holdfast(args)).toMatchObject({ code: 2, out: '' });
  });
});
