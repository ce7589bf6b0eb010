/** The Stripe face in a process that is killed: what it answered stays true, and what was in doubt happens once. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { kill, sandboxProcesses } from '../process.fixture.js';
import { type Client, stripeClient } from './client.fixture.js';

const eventShape = z.object({ type: z.string(), data: z.object({ object: z.object({ id: z.string() }) }) });

const sandbox = sandboxProcesses();

/** One payment: each step has its key, so that it can be repeated. Tells each step that was answered. */
async function pay(stripe: Client, reference: string, done: (step: string, id: string) => void): Promise<void> {
  const keyOf = (step: string) => ({ idempotencyKey: `${reference}/${step}` });
  const { id } = await stripe.paymentIntents.create(
    { amount: 700, currency: 'eur', capture_method: 'manual', payment_method: 'pm_card_visa', metadata: { reference } },
    keyOf('create'),
  );
  done('created', id);
  await stripe.paymentIntents.confirm(id, {}, keyOf('confirm'));
  done('authorized', id);
  await stripe.paymentIntents.capture(id, {}, keyOf('capture'));
  done('captured', id);
  await stripe.refunds.create({ payment_intent: id, amount: 1, metadata: { refundId: reference } }, keyOf('refund'));
  done('refunded', id);
}

it('a killed Stripe face keeps every answer, repeats calls in doubt once, and sends every event', {
  timeout: 90_000,
}, async () => {
  const events = new Set<string>();
  const receiver = createServer((req, res) => {
    const taken = json(req).then((event) => {
      const { type, data } = eventShape.parse(event);
      events.add(`${type} ${data.object.id}`);
    });
    taken.finally(() => res.end()).catch(() => undefined);
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const address = receiver.address();
  const port = typeof address === 'object' && address ? address.port : 0;

  const answered = new Map<string, { readonly id: string; readonly step: string }>();
  for (let round = 0; round < 2; round++) {
    const running = await sandbox.start();
    const stripe = stripeClient(running.url);
    const webhook = { url: `http://127.0.0.1:${port}/`, secret: 'whsec_test' };
    await fetch(`${running.url}/stripe-control/webhook`, { method: 'PUT', body: JSON.stringify(webhook) });
    const buyer = async (name: number) => {
      for (let n = 0; ; n++) {
        const reference = `${round}-${name}-${n}`;
        await pay(stripe, reference, (step, id) => answered.set(reference, { step, id }));
      }
    };
    const load = Promise.allSettled(Array.from({ length: 6 }, (_, name) => buyer(name)));
    const refunded = () => [...answered.values()].filter(({ step }) => step === 'refunded').length;
    const enough = refunded() + 12;
    await expect.poll(refunded, { timeout: 40_000, interval: 1 }).toBeGreaterThan(enough);
    await kill(running);
    await load;
  }

  const { url } = await sandbox.start();
  const stripe = stripeClient(url);
  for (const [reference, { id, step }] of answered) {
    const { status, metadata } = await stripe.paymentIntents.retrieve(id);
    expect(metadata.reference).toBe(reference);
    if (step === 'refunded' || step === 'captured') expect(status).toBe('succeeded');
    if (step === 'authorized') expect(['requires_capture', 'succeeded']).toContain(status);
    // Every call again, those in doubt too.
    await pay(stripe, reference, (_, repeated) => expect(repeated).toBe(id));
    const refunds = await stripe.refunds.list({ payment_intent: id });
    expect(refunds.data).toMatchObject([{ amount: 1, metadata: { refundId: reference } }]);
    const own = await (await fetch(`${url}/payments?reference=${reference}`)).json();
    expect(own).toMatchObject([{ authorizationId: id, captured: 700, refunded: 1 }]);
  }
  const ids = [...answered.values()].map(({ id }) => id);
  const missed = () => ids.filter((id) => !events.has(`payment_intent.succeeded ${id}`));
  await expect.poll(missed).toEqual([]);
  receiver.close();
});
