/**
 * Stripe's own check of requests: stripe-mock refuses a path, a parameter or a type that Stripe's API does not have. It keeps
 * no state, so a proxy gives its objects the state that the gateway expects.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, type TestContext, test } from 'vitest';
import { freePort } from '../../dev/processes/ports.js';
import type { CardOperation } from '../../domain/purchase/steps.js';
import { createStripePayments } from '../../gateways/payment/stripe/stripe.js';
import { eventually } from '../shop.js';

const version = 'v0.203.0';
const installWithinMs = 240_000;

const folder = mkdtempSync(join(tmpdir(), 'holdfast-stripe-mock-'));
let mock: { readonly child: ChildProcess; readonly url: string } | null = null;
let proxy: Server;
let proxyUrl = '';
/** Why stripe-mock does not run here. */
let missing = '';
const seen: { readonly line: string; readonly status: number }[] = [];

beforeAll(async () => {
  missing = await install();
  if (missing !== '') return;
  mock = await startMock();
  proxy = await openProxy(mock.url);
  proxyUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}, installWithinMs + 30_000);
afterAll(() => {
  mock?.child.kill('SIGKILL');
  proxy?.close();
  proxy?.closeAllConnections();
  rmSync(folder, { recursive: true, force: true });
});

/** Returns why it cannot be installed; empty if it was. Any other failure is thrown. */
async function install(): Promise<string> {
  const began = performance.now();
  const env = { ...process.env, GOBIN: folder };
  try {
    const options = { env, timeout: installWithinMs };
    await promisify(execFile)('go', ['install', `github.com/stripe/stripe-mock@${version}`], options);
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    if (said.includes('ENOENT')) return 'Go is not installed';
    if (/dial tcp|no such host|i\/o timeout|network is unreachable|connection refused|proxyconnect/.test(said))
      return 'the download failed for lack of a network';
    throw error;
  }
  console.log(`  stripe-mock ${version} was installed in ${((performance.now() - began) / 1000).toFixed(0)} s`);
  return '';
}

async function startMock() {
  const [http, https] = [await freePort(), await freePort()];
  // Without both addresses it listens on all interfaces.
  const addresses = ['-http-addr', `127.0.0.1:${http}`, '-https-addr', `127.0.0.1:${https}`];
  const child = spawn(join(folder, 'stripe-mock'), addresses, { stdio: 'ignore' });
  const url = `http://127.0.0.1:${http}`;
  const headers = { authorization: 'Bearer sk_test_123' };
  await eventually('stripe-mock', async () => (await fetch(`${url}/v1/balance`, { headers })).ok);
  return { child, url };
}

/** The state of a PaymentIntent after a call to this path. */
function stateAfter(method: string, path: string): object {
  if (path.endsWith('/cancel')) return { status: 'canceled' };
  if (path.endsWith('/confirm')) return { status: 'requires_capture' };
  if (method === 'POST' && path.endsWith('/payment_intents')) return { status: 'requires_confirmation' };
  return { status: 'succeeded', amount_received: 1999 };
}

/** Passes a request on unchanged, and records the status of its answer. */
async function passOn(target: string, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { method = '', url = '', headers } = req;
  const [path = ''] = url.split('?');
  const body = await text(req);
  const { authorization = '', 'content-type': type = 'text/plain', 'stripe-version': stripeVersion = '' } = headers;
  const passed = { authorization, 'content-type': type, 'stripe-version': String(stripeVersion) };
  const answer = await fetch(target + url, { method, headers: passed, ...(body !== '' && { body }) });
  const value: unknown = await answer.json();
  seen.push({ line: `${method} ${path.replace(/p[im]_\w+/, ':id')}`, status: answer.status });
  const isIntent =
    typeof value === 'object' && value !== null && 'object' in value && value.object === 'payment_intent';
  const shown = isIntent ? { ...value, ...stateAfter(method, path) } : value;
  res.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(shown));
}

async function openProxy(target: string): Promise<Server> {
  const server = createServer((req, res) => {
    passOn(target, req, res).catch(() => res.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const operation = (token: string): CardOperation => ({
  ...{ paymentId: 'pay_1', card: 'primary', token, amount: 1999, currency: 'USD' },
  ...{ reference: 'ord_1', customerId: null, traceparent: '' },
});
const ids = (known: string | null) => ({ known, remember: async () => undefined });

function skipIfMissing({ skip }: TestContext): void {
  if (missing !== '') skip(`stripe-mock ${version} is not here: ${missing}`);
}

test('stripe-mock accepts every request that the Stripe gateway makes', async (context) => {
  skipIfMissing(context);
  const secretKey = 'sk_test_123';
  const gateway = await createStripePayments({
    apiBase: proxyUrl,
    timeoutMs: 10_000,
    secretKey,
    installation: 'drill',
  });
  try {
    for (const token of ['tok_visa', 'pm_card_visa']) await gateway.authorize(operation(token), ids(null));
    const card = operation('tok_visa');
    await gateway.authorize(card, ids('pi_1'));
    expect(await gateway.findAuthorization(card, 'pi_1')).toMatchObject({ kind: 'authorized' });
    expect(await gateway.capture(card, 'pi_1')).toEqual({ kind: 'captured' });
    expect(await gateway.findCapture(card, 'pi_1')).toEqual({ kind: 'captured' });
    expect(await gateway.void(card, 'pi_1')).toEqual({ kind: 'voided' });
    expect(await gateway.cancel?.(card, 'pi_1')).toEqual({ kind: 'voided' });
    expect(await gateway.undoCapture(card, 'pi_1', 1999)).toEqual({ kind: 'returned' });
    const refund = { refundId: 'rfd_1', attempt: 0, paymentId: 'pay_1', authorizationId: 'pi_1', amount: 500 };
    expect(await gateway.refund({ ...refund, currency: 'USD' })).toMatchObject({ kind: expect.any(String) });
    await gateway.findRefund({ ...refund, currency: 'USD' });
    expect(await gateway.read('pi_1')).toMatchObject({ status: 'captured', captured: 1999 });
    const toStore = { ownerId: 'sub_1', cause: 'opened', card: 'primary', customerId: 'cus_1001' } as const;
    const customers = { known: null, remember: async (id: string) => id };
    expect(await gateway.storeCard({ ...toStore, token: 'tok_visa' }, customers)).toMatchObject({ kind: 'stored' });
    const stored = { customer: 'cus_1' };
    await gateway.authorize({ ...operation('pm_1'), stored }, ids(null));
    await gateway.authorize({ ...operation('pm_1'), stored, merchantInitiated: true }, ids(null));
    const since = new Date(0).toISOString();
    await gateway.changes({ since, cursor: null });
    await gateway.changes({ since, cursor: '1764000000,evt_1' });
    const window = { from: since, to: new Date().toISOString() };
    for (const cursor of [null, 'payments,pi_1', 'refunds', 'disputes']) await gateway.list({ ...window, cursor });
  } finally {
    await gateway.close();
  }
  expect(seen.filter(({ status }) => status !== 200)).toEqual([]);
  // A request that the gateway makes and that is not here was not judged.
  expect([...new Set(seen.map(({ line }) => line))].sort()).toEqual([
    'GET /v1/disputes',
    'GET /v1/events',
    'GET /v1/payment_intents',
    'GET /v1/payment_intents/:id',
    'GET /v1/refunds',
    'POST /v1/customers',
    'POST /v1/payment_intents',
    'POST /v1/payment_intents/:id/cancel',
    'POST /v1/payment_intents/:id/capture',
    'POST /v1/payment_intents/:id/confirm',
    'POST /v1/payment_methods',
    'POST /v1/payment_methods/:id/attach',
    'POST /v1/refunds',
  ]);
});

test('stripe-mock refuses a parameter that Stripe does not know', async (context) => {
  skipIfMissing(context);
  const headers = { authorization: 'Bearer sk_test_123', 'content-type': 'application/x-www-form-urlencoded' };
  const body = 'amount=100&currency=usd&colour=red';
  expect((await fetch(`${proxyUrl}/v1/payment_intents`, { method: 'POST', headers, body })).status).toBe(400);
});
