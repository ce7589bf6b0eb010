/** The supplier client against the sandbox's suppliers, in a separate process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SupplierGateway } from './gateway.js';
import { createHttpSuppliers } from './http.js';

interface Running {
  readonly child: ChildProcess;
  readonly url: string;
}

interface Call {
  readonly kind: string;
  readonly outcome: string;
}

let home: string;
let sandbox: Running;
let suppliers: SupplierGateway;
let serial = 0;

/** An unused SKU and key. */
function fresh(script?: object): Promise<{ sku: string; quantity: number; idempotencyKey: string; url: null }> {
  const sku = `S-${++serial}`;
  const call = { sku, quantity: 7, idempotencyKey: `order/ord_${serial}/supplier/1`, url: null };
  return script === undefined ? Promise.resolve(call) : instruct(sku, script).then(() => call);
}

async function instruct(sku: string, script: object): Promise<void> {
  const answer = await fetch(`${sandbox.url}/suppliers/script/${sku}`, { method: 'PUT', body: JSON.stringify(script) });
  expect(answer.status).toBe(200);
}

async function calls(sku: string): Promise<string[]> {
  const log: Call[] = JSON.parse(await (await fetch(`${sandbox.url}/suppliers/calls?sku=${sku}`)).text());
  return log.map(({ kind, outcome }) => `${kind}: ${outcome}`);
}

async function start(httpPort: number): Promise<Running> {
  const main = fileURLToPath(new URL('../../sandbox/main.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', main], {
    env: { ...process.env, SANDBOX_HOME: home, SANDBOX_HTTP_PORT: `${httpPort}`, SANDBOX_SMTP_PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const { url }: { url: string } = JSON.parse(line);
  return { child, url };
}

async function kill({ child }: Running): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'suppliers-'));
  sandbox = await start(0);
  suppliers = createHttpSuppliers({
    baseUrl: sandbox.url,
    timeoutMs: 3000,
    allowed: [{ host: '127.0.0.1', port: null }],
  });
}, 60_000);
afterAll(async () => {
  await suppliers.close();
  await kill(sandbox);
  await rm(home, { recursive: true });
});

const quick = { timeoutMs: 1000 };

describe('a reservation at a supplier', () => {
  it('is accepted and then ok, unless scripted otherwise', async () => {
    const call = await fresh();
    const { accepted, ref } = await suppliers.reserve(call);
    expect(accepted).toBe(true);
    expect(await suppliers.reservationStatus({ url: null, ref })).toBe('ok');
  });

  it('is the same for the same key, in a look-up too', async () => {
    const call = await fresh();
    expect(await suppliers.findReservation(call)).toBeNull();
    const first = await suppliers.reserve(call);
    expect(await suppliers.reserve(call)).toEqual(first);
    expect(await suppliers.findReservation(call)).toEqual(first);
    await expect(suppliers.reserve({ ...call, quantity: 8 })).rejects.toThrow('idempotency_key_reused');
  });

  it('can be refused', async () => {
    const call = await fresh({ reserve: { accepted: false } });
    const { accepted, ref } = await suppliers.reserve(call);
    expect(accepted).toBe(false);
    expect(await suppliers.reservationStatus({ url: null, ref })).toBe('fail');
  });

  it.each([
    ['timeout', 'no_answer', false],
    ['error', 'server_error', false],
    ['malformed', 'malformed', false],
    ['lost', 'no_answer', true],
  ])('scripted as %s gives the fault %s, and a look-up shows whether it happened', async (reserve, fault, happened) => {
    const call = await fresh({ reserve });
    await expect(suppliers.reserve(call, quick)).rejects.toMatchObject({ name: 'GatewayFault', fault });
    expect((await suppliers.findReservation(call)) !== null).toBe(happened);
  });

  it('answers each question with the next entry of its script, and repeats the last one', async () => {
    const call = await fresh({ status: ['delayed', 'delayed', 'ok'] });
    const other = { ...call, idempotencyKey: `${call.idempotencyKey}/other` };
    const statusOf = async ({ ref }: { ref: string }) => suppliers.reservationStatus({ url: null, ref });
    const [mine, another] = [await suppliers.reserve(call), await suppliers.reserve(other)];
    const answers = [
      await statusOf(mine),
      await statusOf(mine),
      await statusOf(another),
      await statusOf(mine),
      await statusOf(mine),
    ];
    expect(answers).toEqual(['delayed', 'delayed', 'delayed', 'ok', 'ok']);
    await instruct(call.sku, { status: ['fail'] });
    expect(await statusOf(mine)).toBe('fail');
  });

  it.each(['malformed', 'error', 'whatever', 'OK', 'true'])('with status %s is a fault, never ok', async (status) => {
    const { ref } = await suppliers.reserve(await fresh({ status: [status] }));
    const fault = status === 'error' ? 'server_error' : 'malformed';
    await expect(suppliers.reservationStatus({ url: null, ref })).rejects.toMatchObject({ fault });
  });

  it('can be cancelled by its reference or by its key, any number of times', async () => {
    for (const by of ['ref', 'key'] as const) {
      const call = await fresh();
      const { ref } = await suppliers.reserve(call);
      const refOrKey = by === 'ref' ? ref : call.idempotencyKey;
      for (let n = 0; n < 2; n++) await suppliers.cancelReservation({ url: null, refOrKey });
      expect(await suppliers.reservationStatus({ url: null, ref })).toBe('fail');
      expect((await suppliers.reserve(call)).ref).toBe(ref);
    }
    await suppliers.cancelReservation({ url: null, refOrKey: 'sres_unknown' });
  });

  it('cancelled by its key before it arrived is not accepted', async () => {
    const call = await fresh();
    await suppliers.cancelReservation({ url: null, refOrKey: call.idempotencyKey });
    expect(await suppliers.reserve(call)).toMatchObject({ accepted: false });
  });

  it('that cannot be cancelled gives a fault', async () => {
    const call = await fresh({ cancel: 'error' });
    const { ref } = await suppliers.reserve(call);
    const cancelling = suppliers.cancelReservation({ url: null, refOrKey: ref });
    await expect(cancelling).rejects.toMatchObject({ fault: 'server_error' });
    expect(await suppliers.reservationStatus({ url: null, ref })).toBe('ok');
  });
});

describe('an order at a supplier', () => {
  const unitPrice = { amount: 250, currency: 'EUR' };

  it('is placed once for each key, can be tracked, and cannot be cancelled once delivered', async () => {
    const call = { ...(await fresh({ delivery: ['shipped', 'delivered'] })), unitPrice };
    expect(await suppliers.findOrder(call)).toBeNull();
    const placed = await suppliers.placeOrder(call);
    expect(placed.status).toBe('ordered');
    expect(await suppliers.placeOrder(call)).toEqual(placed);
    const it = { url: null, supplierOrderId: placed.id };
    expect(await suppliers.orderStatus(it)).toBe('shipped');
    expect(await suppliers.findOrder(call)).toEqual({ id: placed.id, status: 'shipped' });
    expect([await suppliers.orderStatus(it), await suppliers.orderStatus(it)]).toEqual(['delivered', 'delivered']);
    expect(await suppliers.cancelOrder(it)).toBe('too_late');
  });

  it('whose answer was lost can be found', async () => {
    const call = { ...(await fresh({ order: 'lost' })), unitPrice };
    await expect(suppliers.placeOrder(call, quick)).rejects.toMatchObject({ fault: 'no_answer' });
    const found = await suppliers.findOrder(call);
    expect(await suppliers.placeOrder(call)).toEqual(found);
  });

  it('can be cancelled, also by its key; the key then places no order', async () => {
    const call = { ...(await fresh()), unitPrice };
    const { id } = await suppliers.placeOrder(call);
    expect(await suppliers.cancelOrder({ url: null, supplierOrderId: id })).toBe('cancelled');
    expect(await suppliers.orderStatus({ url: null, supplierOrderId: id })).toBe('cancelled');
    const never = { ...(await fresh()), unitPrice };
    expect(await suppliers.cancelOrder({ url: null, supplierOrderId: never.idempotencyKey })).toBe('cancelled');
    expect((await suppliers.placeOrder(never)).status).toBe('cancelled');
  });

  it('that fails gives a fault and orders nothing', async () => {
    const call = { ...(await fresh({ order: 'error' })), unitPrice };
    await expect(suppliers.placeOrder(call)).rejects.toMatchObject({ fault: 'server_error' });
    expect(await suppliers.findOrder(call)).toBeNull();
  });

  it('can be preceded by a question about availability', async () => {
    expect(await suppliers.availability(await fresh())).toEqual({ available: true, quantity: 7 });
    const little = { availability: { available: true, quantity: 3 } };
    expect(await suppliers.availability(await fresh(little))).toEqual({ available: true, quantity: 3 });
    const malformed = suppliers.availability(await fresh({ availability: 'malformed' }));
    await expect(malformed).rejects.toMatchObject({ fault: 'malformed' });
  });
});

describe('the suppliers of the sandbox', () => {
  it('each have their own address', async () => {
    const asked: string[] = [];
    const server = createServer((req, res) => {
      asked.push(`${req.method} ${req.url}`);
      res.end(JSON.stringify({ status: 'delayed' }));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/acme/`;
    expect(await suppliers.reservationStatus({ url, ref: 'a/b' })).toBe('delayed');
    expect(asked).toEqual(['GET /acme/supplier/reserve/a%2Fb']);
    server.closeAllConnections();
    server.close();
    await expect(suppliers.reservationStatus({ url, ref: 'a' }, quick)).rejects.toMatchObject({ fault: 'unreachable' });
    const { ref } = await suppliers.reserve(await fresh());
    expect(await suppliers.reservationStatus({ url: null, ref })).toBe('ok');
  });

  it('reject an invalid script and name the field', async () => {
    const body = JSON.stringify({ reserve: 'perhaps' });
    const answer = await fetch(`${sandbox.url}/suppliers/script/X`, { method: 'PUT', body });
    expect([answer.status, await answer.text()]).toEqual([422, expect.stringContaining('reserve')]);
  });

  it('keep scripts, reservations, answers and calls after kill -9', async () => {
    const call = await fresh({ status: ['delayed', 'delayed', 'ok'], reserve: 'lost' });
    await expect(suppliers.reserve(call, quick)).rejects.toMatchObject({ fault: 'no_answer' });
    const { ref } = (await suppliers.findReservation(call)) ?? { ref: '' };
    expect(await suppliers.reservationStatus({ url: null, ref })).toBe('delayed');
    const before = await calls(call.sku);
    await kill(sandbox);
    sandbox = await start(Number(new URL(sandbox.url).port));
    expect(await calls(call.sku)).toEqual(before);
    expect(before).toEqual(['reserve: lost', 'reserve_look_up: found', 'reserve_status: delayed']);
    expect(await suppliers.reserve(call)).toEqual({ accepted: true, ref });
    const statuses = [1, 2].map(() => suppliers.reservationStatus({ url: null, ref }));
    expect(new Set(await Promise.all(statuses))).toEqual(new Set(['delayed', 'ok']));
  }, 60_000);
});
