/**
 * Orders whose worker is killed at a chosen place, and what must be true afterwards. The places are switched on by a file
 * (workers/interceptors/crash-points.ts), so that every run kills in the same place.
 */
import { expect } from 'vitest';
import { crashAt } from '../../setup/crash-points.js';
import { eventually, holdings, type Shop } from '../../shop.js';

export const phases = ['before', 'during', 'after'] as const;
/** `during2`: when its second query or request was sent, and so on. */
export type Phase = (typeof phases)[number] | 'during2' | 'during3' | 'during4' | 'during5';

/** Sends a signal to an order from outside, as a person would. */
export type SendSignal = (orderId: string, name: string, payload: unknown) => Promise<void>;

interface Scenario {
  /** What happens to the order. `activities` are those it runs. */
  readonly what: string;
  readonly activities: readonly string[];
  /** The script of the product's supplier. Without it the product has no supplier. */
  readonly script?: object;
  readonly run: (shop: Shop, sku: string, signal: SendSignal) => Promise<string>;
  /**
   * The order's status at the end, what is left of the 5 units, the net of the processor's books, what has become of the
   * supplier's reservation, and how many notes the timeline holds.
   */
  readonly end: {
    readonly status: string;
    readonly onHand: number;
    readonly reserved: number;
    readonly net: number;
    readonly supplier?: 'kept' | 'cancelled';
    readonly notes?: number;
  };
}

const confirmed = { status: 'confirmed', onHand: 3, reserved: 0, net: 2000 };
const untouched = { onHand: 5, reserved: 0, net: 0 };
const restocked = { status: 'reserved', onHand: 7, reserved: 7, net: 0, supplier: 'kept' } as const;

export const scenarios: readonly Scenario[] = [
  {
    what: 'bought in one call',
    activities: ['openOrder', 'scoreFraud', 'authorizeCard', 'captureCard', 'settleOrder'],
    run: (shop, sku) => create(shop, sku, { confirm: true, payment: { cardToken: 'tok_visa' } }),
    end: confirmed,
  },
  {
    what: 'reserved and then confirmed',
    activities: ['beginConfirm'],
    run: async (shop, sku) => {
      const id = await create(shop, sku, {});
      await shop.confirm(id, 'tok_visa');
      return id;
    },
    end: confirmed,
  },
  {
    what: 'paid with a card whose authorization is answered late',
    activities: ['authorizeCard'],
    run: (shop, sku) => create(shop, sku, { confirm: true, payment: { cardToken: 'tok_auth_lost_1' } }),
    end: confirmed,
  },
  {
    what: 'refused by the card',
    activities: ['refusePayment'],
    run: (shop, sku) => create(shop, sku, { confirm: true, payment: { cardToken: 'tok_declined' } }),
    end: { ...untouched, status: 'reserved', reserved: 2 },
  },
  {
    what: 'authorized but not captured, with the authorization undone',
    activities: ['abandonCard', 'undoCard'],
    run: (shop, sku) => create(shop, sku, { confirm: true, payment: { cardToken: 'tok_capture_declined' } }),
    end: { ...untouched, status: 'reserved', reserved: 2 },
  },
  {
    what: 'cancelled',
    activities: ['closeOrder'],
    run: async (shop, sku) => {
      const id = await create(shop, sku, {});
      await shop.cancel(id);
      return id;
    },
    end: { ...untouched, status: 'cancelled' },
  },
  {
    what: 'given another line',
    activities: ['addOrderLine'],
    run: async (shop, sku) => {
      const { body } = await shop.order({});
      await shop.post(`/api/orders/${body.id}/lines`, { sku, quantity: 2 }, { prefer: 'wait=30' });
      return body.id;
    },
    end: { ...untouched, status: 'reserved', reserved: 2 },
  },
  {
    what: 'left until it expires',
    activities: ['expireOrder'],
    run: async (shop) => (await shop.order({})).body.id,
    end: { ...untouched, status: 'expired' },
  },
  {
    what: 'sent a signal that makes no sense',
    activities: ['noteOrder'],
    run: async (shop, sku, signal) => {
      const id = await create(shop, sku, {});
      await signal(id, 'confirm', { payment: 7 });
      return id;
    },
    end: { ...untouched, status: 'reserved', reserved: 2, notes: 1 },
  },
  {
    what: 'restocked by its supplier',
    activities: ['openOrder', 'reserveAtSupplier', 'awaitSupplier', 'supplierStatus', 'restockOrder'],
    script: {},
    run: lack,
    end: restocked,
  },
  {
    what: 'restocked by a supplier that answers late',
    activities: ['reserveAtSupplier'],
    script: { reserve: 'lost' },
    run: lack,
    end: restocked,
  },
  {
    what: 'given up because its supplier delays too often',
    activities: ['giveUpRestock', 'cancelAtSupplier', 'closeOrder'],
    script: { status: ['delayed'] },
    run: lack,
    end: { ...untouched, status: 'failed', supplier: 'cancelled' },
  },
  {
    what: 'cancelled while its supplier is unreachable',
    activities: ['releaseOrder'],
    script: { status: ['delayed'], cancel: 'error' },
    run: async (shop, sku) => {
      const id = await lack(shop, sku);
      await shop.post(`/api/orders/${id}/cancel`, { reason: 'late' }, { prefer: 'wait=1' });
      await eventually('the review', async () => {
        const { body } = await shop.get('/api/reviews?status=open');
        return body.items.some(({ subject }: { subject: string }) => subject === `order/${id}`);
      });
      await shop.script(sku, {});
      return id;
    },
    end: { ...untouched, status: 'cancelled', supplier: 'cancelled' },
  },
];

/** Orders more than is in stock. */
function lack(shop: Shop, sku: string): Promise<string> {
  return create(shop, sku, { lines: [{ sku, quantity: 7 }] });
}

async function create(shop: Shop, sku: string, more: Parameters<Shop['order']>[0]): Promise<string> {
  const { body } = await shop.order({ lines: [{ sku, quantity: 2 }], ...more });
  return body.id ?? body.orderId;
}

/** Kills the worker at `activity`.`phase` while the scenario runs, and checks that it ends as if nothing had happened. */
export async function survives(
  shop: Shop,
  crashFolder: string,
  scenario: Scenario,
  activity: string,
  phase: Phase,
  signal: SendSignal,
): Promise<void> {
  const sku = scenario.script === undefined ? await shop.product(5) : await shop.supplied(5, scenario.script);
  const crashed = crashAt(crashFolder, `${activity}.${phase}`);
  const orderId = await scenario.run(shop, sku, signal);
  await crashed();
  const { status, onHand, reserved, net, supplier, notes = 0 } = scenario.end;
  await eventually(`the order to be ${status}`, async () => (await shop.statusOf(orderId)) === status);
  expect(await shop.stock(sku)).toEqual({ onHand, reserved, available: onHand - reserved });
  const books = await shop.books(orderId);
  expect(holdings(books)).toEqual({ open: 0, net });
  expect(books.length).toBeLessThanOrEqual(1);
  if (supplier !== undefined) {
    const calls = await shop.supplierCalls(sku);
    expect(new Set(calls.flatMap(({ ref }) => ref ?? [])).size).toBe(1);
    const cancelled = calls.some(({ kind, outcome }) => kind === 'reserve_cancel' && outcome === 'cancelled');
    expect(cancelled ? 'cancelled' : 'kept').toBe(supplier);
  }
  const ignored = async () => (await shop.notes(orderId)).length;
  await eventually(`the timeline to hold ${notes} notes`, async () => (await ignored()) >= notes);
  expect(await ignored()).toBe(notes);
  const path = await shop.path(orderId);
  const returns = Math.max(0, path.filter((step) => step === 'reserved').length - 1);
  expect(new Set(path).size + returns).toBe(path.length);
  expect(await shop.verified()).toEqual({ clean: true, differences: [] });
}

/** Activities after which the only worker dies. A cancel that comes before the next one starts must not break what it did. */
export const cancelledAfter = ['beginConfirm', 'authorizeCard', 'captureCard', 'settleOrder'] as const;

/**
 * Kills the only worker after `activity`, and cancels before another one resumes the order, so the lost task runs again with
 * a command that it did not know. The order ends confirmed and paid, or cancelled and unpaid.
 */
export async function staysConsistent(
  shop: Shop,
  crashFolder: string,
  activity: (typeof cancelledAfter)[number],
  cancel: (orderId: string) => Promise<unknown>,
): Promise<void> {
  const sku = await shop.product(5);
  const orderId = await create(shop, sku, {});
  const crashed = crashAt(crashFolder, `${activity}.after`);
  const confirming = shop.confirm(orderId, 'tok_visa');
  await crashed();
  const cancelling = cancel(orderId);
  const status = await eventually('the order to end', async () => {
    const now = await shop.statusOf(orderId);
    return (now === 'confirmed' || now === 'cancelled') && now;
  });
  await Promise.all([confirming, cancelling]);
  expect(await shop.statusOf(orderId)).toBe(status);
  const sold = status === 'confirmed' ? 2 : 0;
  expect(await shop.stock(sku)).toEqual({ onHand: 5 - sold, reserved: 0, available: 5 - sold });
  expect(holdings(await shop.books(orderId))).toEqual({ open: 0, net: sold * 1000 });
  const { body: order } = await shop.must(200, shop.get(`/api/orders/${orderId}`));
  if (order.payment !== null) expect(order.payment.status).toBe(status === 'confirmed' ? 'captured' : 'voided');
}

/**
 * Kills the only worker after it has received a supplier's goods, and cancels before another one resumes the order. Goods
 * are either received or cancelled at the supplier, never both.
 */
export async function goodsStayConsistent(shop: Shop, crashFolder: string): Promise<void> {
  const sku = await shop.supplied(5);
  const crashed = crashAt(crashFolder, 'restockOrder.after');
  const orderId = await lack(shop, sku);
  await crashed();
  await shop.cancel(orderId);
  await eventually('the order to be cancelled', async () => (await shop.statusOf(orderId)) === 'cancelled');
  const calls = await shop.supplierCalls(sku);
  const sentBack = calls.some(({ kind, outcome }) => kind === 'reserve_cancel' && outcome === 'cancelled');
  const onHand = sentBack ? 5 : 7;
  expect(await shop.stock(sku)).toEqual({ onHand, reserved: 0, available: onHand });
}
