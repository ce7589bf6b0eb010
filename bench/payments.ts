/**
 * Payments without an order, and their refunds, end to end over HTTP: on the sandbox's own wire and on Stripe's, each compared
 * with an empty workflow on the same server in the same run.
 */
import { Pool } from 'undici';
import type { GatewayName } from '../domain/payments/gateways.js';
import { startStack } from '../test/setup/stack.js';
import { besideEmpty, combine, type Timing, timingRow } from './empty.js';
import { load } from './load.js';
import type { Row, Target } from './table.js';

const callers = [1, 16, 64] as const;
const amounts: Readonly<Record<(typeof callers)[number], number>> = { 1: 70, 16: 400, 64: 400 };
/** Payments and empty workflows take turns, because a machine's speed varies over time. */
const rounds = 3;
const refundClients = 16;
const refundAmount = 400;
const wires: Readonly<Record<GatewayName, string>> = { sandbox: 'sandbox', stripe: "Stripe's wire" };

/** @param env of the stacks */
export async function benchPayments(env: Readonly<Record<string, string>>): Promise<Row[]> {
  const rows: Row[] = [];
  for (const gateway of ['sandbox', 'stripe'] as const) {
    // No payment may be refused: what overload does is measured elsewhere.
    const stack = await startStack({ ...env, PAYMENT_GATEWAY: gateway, ADMISSION_LIMIT: '1000' });
    try {
      rows.push(...(await rowsOf(stack, wires[gateway])));
    } finally {
      await stack.stop();
    }
  }
  return rows;
}

function rowsOf(target: Target, wire: string): Promise<Row[]> {
  return besideEmpty(target, async (runEmpty) => {
    await runEmpty(8, 200);
    await pay(target, 8, 200);
    const rows: Row[] = [];
    for (const count of callers) {
      const empties: Timing[] = [];
      const payments: Timing[] = [];
      for (let round = 0; round < rounds; round++) {
        empties.push(await runEmpty(count, amounts[count]));
        payments.push(await pay(target, count, amounts[count]));
      }
      rows.push(...beside(`payment, ${wire}`, count, combine(empties), combine(payments)));
    }
    const paid = await paymentIds(target, refundAmount * rounds);
    const empties: Timing[] = [];
    const refunds: Timing[] = [];
    for (let round = 0; round < rounds; round++) {
      empties.push(await runEmpty(refundClients, refundAmount));
      refunds.push(await refundEach(target, paid.splice(0, refundAmount)));
    }
    return [...rows, ...beside(`refund, ${wire}`, refundClients, combine(empties), combine(refunds))];
  });
}

function beside(what: string, count: number, empty: Timing, measured: Timing): Row[] {
  return [
    timingRow(`empty workflow, ${count} callers`, empty),
    {
      ...timingRow(`${what}, ${count} clients`, measured),
      'of empty': (measured.perSecond / empty.perSecond).toFixed(2),
    },
  ];
}

const payment = { amount: 1000, currency: 'USD', cardToken: 'tok_visa' };

/** Makes `amount` payments; none may be refused. */
function pay(target: Target, clients: number, amount: number): Promise<Timing> {
  return load(target, '/api/payments', { clients, amount, bodies: [payment] });
}

async function paymentIds(target: Target, amount: number): Promise<string[]> {
  const ids: string[] = [];
  await eachOnce(target, Array(amount).fill('/api/payments'), payment, ({ id }) => ids.push(id));
  return ids;
}

/** Refunds each payment in full. */
function refundEach(target: Target, payments: readonly string[]): Promise<Timing> {
  const paths = payments.map((id) => `/api/payments/${id}/refunds`);
  return eachOnce(target, paths, { reason: 'bench' }, ({ status, id }) => {
    if (status !== 'succeeded') throw new Error(`refund ${id} is ${status}`);
  });
}

interface Answered {
  readonly id: string;
  readonly status: string;
}

/** Posts the body to each path once, `refundClients` at a time. */
async function eachOnce(
  target: Target,
  paths: readonly string[],
  body: object,
  answered: (answer: Answered) => void,
): Promise<Timing> {
  const pool = new Pool(target.apiUrl, { connections: refundClients });
  const headers = { authorization: `Bearer ${target.apiKey}`, 'content-type': 'application/json', prefer: 'wait=30' };
  const latencies: number[] = [];
  const queue = paths.values();
  const began = performance.now();
  const client = async () => {
    for (const path of queue) {
      const sent = performance.now();
      const answer = await pool.request({ path, method: 'POST', headers, body: JSON.stringify(body) });
      const value = (await answer.body.json()) as Answered;
      if (answer.statusCode !== 201) throw new Error(`POST ${path}: ${answer.statusCode} ${JSON.stringify(value)}`);
      latencies.push(performance.now() - sent);
      answered(value);
    }
  };
  await Promise.all(Array.from({ length: refundClients }, client));
  const perSecond = (paths.length * 1000) / (performance.now() - began);
  await pool.close();
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? 0;
  return { perSecond, p50: at(0.5), p99: at(0.99) };
}
