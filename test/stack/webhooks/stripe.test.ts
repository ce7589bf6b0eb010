/** The webhook of Stripe over the API, whose secrets the test run has set. */
import { randomUUID } from 'node:crypto';
import Stripe from 'stripe';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { Books } from '../../database/books.js';
import { webhookSecrets } from '../../setup/settings.js';

const [apiUrl = ''] = inject('apiUrls');
const { webhooks } = new Stripe('sk_test_unused');
const [secret = '', second = ''] = webhookSecrets;
let books: Books;
beforeAll(async () => {
  books = await Books.open();
});
afterAll(() => books.close());

const newId = (prefix: string) => `${prefix}_${randomUUID().replaceAll('-', '')}`;

interface Sent {
  readonly secret?: string;
  readonly timestamp?: number;
  readonly header?: string;
  readonly body?: string;
}

async function send(event: object, { header, body, ...more }: Sent = {}): Promise<Response> {
  const payload = JSON.stringify(event);
  const signature = header ?? webhooks.generateTestHeaderString({ payload, secret, ...more });
  return await fetch(`${apiUrl}/webhooks/stripe`, {
    method: 'POST',
    headers: { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': signature },
    body: body ?? payload,
  });
}

function event(more: Readonly<Record<string, unknown>> = {}) {
  const object = { object: 'payment_intent', id: newId('pi'), metadata: { installation: 'holdfast' } };
  return { id: newId('evt'), object: 'event', type: 'payment_intent.succeeded', created: 1, data: { object }, ...more };
}

async function kept(id: string): Promise<{ type: string; providerId: string | null }[]> {
  return await books.sql`
    select type, provider_id as "providerId" from processor_events where gateway = 'stripe' and event_id = ${id}`;
}

describe('the Stripe webhook', () => {
  test('an event that is here before our own row of its payment is kept, since its metadata names us', async () => {
    const sent = event();
    const answer = await send(sent);
    expect([answer.status, await answer.json()]).toEqual([200, { received: true }]);
    expect(await kept(sent.id)).toEqual([{ type: sent.type, providerId: sent.data.object.id }]);
  });

  test('fifty deliveries of one event, at once and signed with either secret, are kept once', async () => {
    const sent = event();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => send(sent, { secret: n % 2 === 0 ? secret : second })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await kept(sent.id)).toHaveLength(1);
  });

  const now = Math.floor(Date.now() / 1000);
  test.each<[string, Sent]>([
    ['another secret', { secret: 'whsec_wrong' }],
    ['a time 400 s ago', { timestamp: now - 400 }],
    ['a time 400 s ahead', { timestamp: now + 400 }],
    ['another body', { body: '{"id":"evt_forged","type":"payment_intent.succeeded"}' }],
    ['no signature', { header: '' }],
  ])('%s is 400, and nothing is kept', async (_what, how) => {
    const sent = event();
    const answer = await send(sent, how);
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(await kept(sent.id)).toEqual([]);
    expect(await kept('evt_forged')).toEqual([]);
  });

  test('a network transaction id that looks like a card number stops no event', async () => {
    const sent = event({ request: { network_transaction_id: '4242424242424242' } });
    expect((await send(sent)).status).toBe(200);
    expect(await kept(sent.id)).toHaveLength(1);
  });

  test.each([
    [
      'of another installation',
      event({ data: { object: { object: 'payment_intent', id: 'pi_1', metadata: { installation: 'elsewhere' } } } }),
    ],
    [
      'about a payment of nobody here',
      event({ type: 'charge.refunded', data: { object: { object: 'charge', payment_intent: newId('pi') } } }),
    ],
    ['of an unknown type', event({ type: 'invoice.paid' })],
    ['in the thin style', { id: newId('evt'), object: 'v2.core.event', type: 'v1.billing.meter.no_meter_found' }],
  ])('an event %s is 200, and is about no payment', async (_what, sent) => {
    expect((await send(sent)).status).toBe(200);
    expect(await kept(sent.id)).toEqual([{ type: sent.type, providerId: null }]);
    const metrics = await (await fetch(`${apiUrl}/metrics`)).text();
    expect(metrics).toMatch(/holdfast_processor_events_total\{gateway="stripe",outcome="(foreign|unknown)"\} [1-9]/);
  });

  test('a dispute about a payment whose id was stored is ours, though it names nobody', async () => {
    const [paymentId, providerId] = [newId('pay'), newId('pi')];
    await books.sql`
      insert into provider_operations (payment_id, card, gateway, provider_id)
      values (${paymentId}, 'primary', 'stripe', ${providerId})`;
    const sent = event({
      type: 'charge.dispute.created',
      data: { object: { object: 'dispute', payment_intent: providerId } },
    });
    expect((await send(sent)).status).toBe(200);
    expect(await kept(sent.id)).toEqual([{ type: 'charge.dispute.created', providerId }]);
  });

  test('an event is larger than a request without a key may be, and has its limit too', async () => {
    const large = event({ padding: 'x'.repeat(100_000) });
    expect((await send(large)).status).toBe(200);
    const tooLarge = event({ padding: 'x'.repeat(300_000) });
    expect((await send(tooLarge)).status).toBe(413);
    expect(await kept(tooLarge.id)).toEqual([]);
  });
});
