/** The webhooks of the Stripe face: signed, at least once, in no sure order. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type Stripe from 'stripe';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Sandbox, startSandbox } from '../server.js';
import { type Client, stripeClient } from './client.fixture.js';

const secret = 'whsec_test';
let home: string;
let sandbox: Sandbox;
let stripe: Client;
let receiver: Server;
let url: string;
/** The receiver answers with this. */
let status = 200;
const received: Stripe.Event[] = [];

const start = async () => {
  sandbox = await startSandbox({ home, httpPort: 0, smtpPort: 0 });
  stripe = stripeClient(sandbox.url);
};

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'stripe-webhooks-'));
  receiver = createServer((req, res) => {
    buffer(req)
      .then(async (body) => {
        // Throws unless the signature is right; the test then waits for the event in vain.
        const event = await stripe.webhooks.constructEventAsync(body, req.headers['stripe-signature'] ?? '', secret);
        if (status === 200) received.push(event);
        res.writeHead(status).end();
      })
      .catch(() => res.writeHead(400).end());
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const address = receiver.address();
  url = typeof address === 'object' && address ? `http://127.0.0.1:${address.port}/hook` : '';
  await start();
});
beforeEach(async () => {
  status = 200;
  const answer = await fetch(`${sandbox.url}/stripe-control/webhook`, {
    method: 'PUT',
    body: JSON.stringify({ url, secret }),
  });
  expect(answer.status).toBe(200);
});
afterEach(() => {
  received.length = 0;
});
afterAll(async () => {
  await sandbox.close();
  receiver.close();
  await rm(home, { recursive: true });
});

const pay = async (token: string, capture = true) => {
  // The client's types do not know a token here; Stripe's wire does.
  const data = { type: 'card' as const, card: { token } };
  const method = token.startsWith('pm_') ? { payment_method: token } : { payment_method_data: data };
  const terms = { amount: 1999, currency: 'usd', capture_method: 'manual' as const, confirm: true, ...method };
  const { id } = await stripe.paymentIntents.create(terms);
  if (capture) await stripe.paymentIntents.capture(id);
  return id;
};
const about = (intent: string) =>
  received.filter(({ data: { object } }) =>
    [Reflect.get(object, 'id'), Reflect.get(object, 'payment_intent')].includes(intent),
  );
const typesOf = (intent: string) => about(intent).map(({ type }) => type);
async function byHand(path: string, body: unknown): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(sandbox.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
  expect(answer.ok).toBe(true);
}

describe('the events of a payment', () => {
  it('are those of intent, charge, refund and dispute, each once and with the object as it is', async () => {
    const id = await pay('tok_refund_fails_late_400');
    await stripe.refunds.create({ payment_intent: id, amount: 999 });
    await expect.poll(() => typesOf(id)).toContain('refund.failed');
    await expect
      .poll(() => [...typesOf(id)].sort())
      .toEqual(
        [
          'charge.captured',
          'charge.refund.updated',
          'charge.refunded',
          'charge.succeeded',
          'payment_intent.amount_capturable_updated',
          'payment_intent.created',
          'payment_intent.succeeded',
          'refund.created',
          'refund.failed',
        ].sort(),
      );
    const failed = about(id).find(({ type }) => type === 'refund.failed');
    expect(failed?.data.object).toMatchObject({ object: 'refund', amount: 999, status: 'failed' });
    const { data } = await stripe.events.list({ type: 'refund.failed' });
    expect(data.map((event) => event.id)).toContain(failed?.id);

    const disputed = await pay('pm_card_createDispute');
    await expect
      .poll(() => typesOf(disputed))
      .toEqual(expect.arrayContaining(['charge.dispute.created', 'charge.dispute.funds_withdrawn']));
    const dispute = (await stripe.disputes.list({ payment_intent: disputed })).data[0]?.id;
    await byHand(`/disputes/${dispute}/close`, { outcome: 'won' });
    await expect
      .poll(() => typesOf(disputed))
      .toEqual(expect.arrayContaining(['charge.dispute.closed', 'charge.dispute.funds_reinstated']));
  });

  it('come from what somebody does by hand too', async () => {
    const id = await pay('pm_card_visa');
    await byHand(`/payments/${id}/refunds`, { amount: 500 });
    await expect.poll(() => typesOf(id)).toContain('refund.created');
    const open = await pay('pm_card_visa', false);
    await stripe.paymentIntents.cancel(open);
    await expect
      .poll(() => typesOf(open))
      .toEqual(expect.arrayContaining(['payment_intent.canceled', 'charge.refunded']));
  });
});

describe('a delivery', () => {
  const fault = (body: unknown) => byHand('/stripe-control/webhook-faults', body);

  it('is repeated until it is answered with 2xx, also after a restart, and holds up no call', async () => {
    status = 500;
    const id = await pay('pm_card_visa');
    await sandbox.close();
    await start();
    expect(about(id)).toEqual([]);
    status = 200;
    await expect.poll(() => typesOf(id)).toContain('payment_intent.succeeded');
  });

  it('is dropped, doubled or out of order when a test asks for it', async () => {
    await fault({ kind: 'drop', type: 'payment_intent.amount_capturable_updated', times: 1 });
    await fault({ kind: 'duplicate', type: 'charge.succeeded', times: 1 });
    const id = await pay('pm_card_visa', false);
    await expect.poll(() => typesOf(id).filter((type) => type === 'charge.succeeded')).toHaveLength(2);
    expect(typesOf(id)).not.toContain('payment_intent.amount_capturable_updated');
    const [dropped] = (await stripe.events.list({ type: 'payment_intent.amount_capturable_updated', limit: 1 })).data;
    await byHand(`/stripe-control/events/${dropped?.id}/resend`, {});
    expect(typesOf(id)).toContain('payment_intent.amount_capturable_updated');

    await fault({ kind: 'reorder', times: 2 });
    await stripe.paymentIntents.capture(id);
    await expect.poll(() => typesOf(id).slice(-2)).toEqual(['payment_intent.succeeded', 'charge.captured']);
  });
});
