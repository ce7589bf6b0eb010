/** Replenishments whose worker is killed at a chosen place, and what must be true afterwards. See scenarios.ts for the places. */
import { expect } from 'vitest';
import { crashAt } from '../../setup/crash-points.js';
import { eventually, Shop, type StackAddress } from '../../shop.js';
import { type Script, Supply } from '../replenishment/supply.js';
import type { Phase } from './scenarios.js';

interface ReplenishmentScenario {
  /** What happens to the order of 16 with 4 in stock. `activities` are those it runs. */
  readonly what: string;
  readonly activities: readonly string[];
  readonly script: Script;
  /** The replenishment's status, the stock on hand, the purchase orders, and the orders open at the supplier. */
  readonly end: { readonly status: string; readonly onHand: number; readonly orders: readonly string[] };
}

const received = { status: 'completed', onHand: 20, orders: ['delivered'] };

export const replenishmentScenarios: readonly ReplenishmentScenario[] = [
  {
    what: 'ordered, shipped and delivered',
    activities: [
      'planReplenishment',
      'askAvailability',
      'placeSupplierOrder',
      'recordPurchaseOrder',
      'askDelivery',
      'markShipped',
      'receiveDelivery',
    ],
    script: { delivery: ['shipped', 'shipped', 'shipped', 'delivered'] },
    end: received,
  },
  {
    what: 'ordered by a call whose answer is lost',
    activities: ['placeSupplierOrder'],
    script: { order: 'lost' },
    end: received,
  },
  {
    what: 'ordered in part because the supplier has less',
    activities: ['reduceQuantity'],
    script: { availability: { available: true, quantity: 6 } },
    end: { status: 'completed', onHand: 10, orders: ['delivered'] },
  },
  {
    what: 'given up, with its order cancelled by key',
    activities: ['reportReplenishmentFailure', 'cancelSupplierOrder', 'failReplenishment'],
    script: { order: 'error' },
    end: { status: 'failed', onHand: 4, orders: [] },
  },
  {
    what: 'cancelled by the supplier',
    activities: ['failReplenishment'],
    script: { delivery: ['cancelled'] },
    end: { status: 'failed', onHand: 4, orders: ['cancelled'] },
  },
];

/** Kills the worker at `activity`.`phase` while the scenario runs, and checks that it ends as if nothing had happened. */
export async function replenishmentSurvives(
  stack: StackAddress,
  crashFolder: string,
  scenario: ReplenishmentScenario,
  activity: string,
  phase: Phase,
): Promise<void> {
  const shop = new Shop(stack);
  const supply = new Supply(shop, stack.sandboxUrl);
  const sku = await supply.product({ stock: 4, maxStock: 20 }, scenario.script);
  const crashed = crashAt(crashFolder, `${activity}.${phase}`);
  const id = await supply.replenish(sku);
  await crashed();

  const ended = await eventually('it to be over', async () => {
    // It exists only once a worker has planned it.
    const [found] = await supply.replenishments(sku);
    return found !== undefined && found.status !== 'running' && found;
  });
  const { status, onHand, orders } = scenario.end;
  expect(ended).toMatchObject({ id, status });
  expect(await supply.onHand(sku)).toBe(onHand);
  const written: { status: string }[] = await supply.purchaseOrders(sku);
  expect(written.map((order) => order.status)).toEqual(orders);
  expect(await supply.deliveries(sku)).toHaveLength(onHand > 4 ? 1 : 0);
  // One key, so one order at the supplier, however often it was called.
  const keys = new Set((await supply.calls(sku, 'order')).map(({ idempotencyKey }) => idempotencyKey));
  expect(keys).toEqual(new Set([id]));
  expect((await supply.replenishments(sku)).length).toBe(1);
  expect((await supply.reviews(sku)).length).toBe(status === 'failed' && orders.length === 0 ? 1 : 0);
  expect(await shop.verified()).toEqual({ clean: true, differences: [] });
}
