/** Orders end to end over HTTP, compared with an empty workflow on the same server in the same run. */
import { addCpu, cpuPerPiece, cpuTimes, noCpu } from './cpu.js';
import { besideEmpty, combine, type Timing, timingRow } from './empty.js';
import { load, post } from './load.js';
import type { Row, Target } from './table.js';

const cpu = 'CPU ms each';
const callers = [1, 16] as const;

/** Creates a product with enough stock for every order of the run. */
export async function stockUp(target: Target, sku: string): Promise<void> {
  await post(target, '/api/products', { sku, name: 'Bench', price: { amount: 1000, currency: 'USD' } });
  await post(target, `/api/inventory/${sku}/receipts`, { quantity: 1_000_000 });
}

/** The body of an order that is created and confirmed in one call and sends a mail. */
export function purchase(sku: string): object {
  return {
    lines: [{ sku, quantity: 1 }],
    customer: { email: 'bench@example.com' },
    payment: { cardToken: 'tok_visa' },
    confirm: true,
  };
}

/** The same with discount, tax, a charge, an address, metadata and a tag; it comes to the same total. */
function purchaseWithMoney(sku: string): object {
  return {
    ...purchase(sku),
    lines: [{ sku, quantity: 1, discount: 300, tax: 100, name: 'Bench' }],
    charges: [{ kind: 'shipping', name: 'Post', amount: 190, tax: 10 }],
    shippingAddress: { name: 'Bench', line1: '12 High Street', city: 'London', country: 'GB' },
    metadata: { campaign: 'bench' },
    tags: ['bench'],
    expectedTotal: { amount: 1000, currency: 'USD' },
  };
}

/** Buys `amount` orders; none may be refused. */
export function buy(
  target: Target,
  sku: string,
  clients: number,
  amount: number,
  body = purchase(sku),
): Promise<Timing> {
  return load(target, '/api/orders', { clients, amount, bodies: [body] });
}

/** Reserves `amount` orders and leaves them open. */
export function reserve(target: Target, sku: string, clients: number, amount: number): Promise<Timing> {
  return load(target, '/api/orders', { clients, amount, bodies: [{ lines: [{ sku, quantity: 1 }] }] });
}

/** Orders and empty workflows take turns, because a machine's speed varies over time. */
const rounds = 3;

export async function benchOrders(target: Target): Promise<Row[]> {
  const sku = `BENCH-${Date.now()}`;
  await stockUp(target, sku);
  return besideEmpty(target, async (runEmpty) => {
    await buy(target, sku, 8, 200);
    await runEmpty(8, 200);
    const rows: Row[] = [];
    for (const count of callers) {
      const amount = count === 1 ? 70 : 400;
      const empties: Timing[] = [];
      const orders: Timing[] = [];
      const withMoney: Timing[] = [];
      const used = { empties: noCpu, orders: noCpu };
      for (let round = 0; round < rounds; round++) {
        const before = cpuTimes(target);
        empties.push(await runEmpty(count, amount));
        const between = cpuTimes(target);
        orders.push(await buy(target, sku, count, amount));
        used.empties = addCpu(used.empties, before, between);
        used.orders = addCpu(used.orders, between, cpuTimes(target));
        withMoney.push(await buy(target, sku, count, amount, purchaseWithMoney(sku)));
      }
      const [empty, order, rich] = [combine(empties), combine(orders), combine(withMoney)];
      rows.push(
        {
          ...timingRow(`empty workflow, ${count} callers`, empty),
          [cpu]: cpuPerPiece(used.empties, amount * rounds),
        },
        {
          ...timingRow(`order, ${count} clients`, order),
          'of empty': (order.perSecond / empty.perSecond).toFixed(2),
          [cpu]: cpuPerPiece(used.orders, amount * rounds),
        },
        {
          ...timingRow(`order with money lines, ${count} clients`, rich),
          'of empty': (rich.perSecond / empty.perSecond).toFixed(2),
        },
      );
    }
    return rows;
  });
}
