/** A worker that dies while it adopts what a processor reports, or looks for changes, loses nothing and books nothing twice. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { crashAt } from '../setup/crash-points.js';
import { ownStack } from '../setup/own-stack.js';
import { quickTakeover } from '../setup/stack.js';
import { eventually, type Shop } from '../shop.js';
import { refundOrder, sold } from '../stack/refunds/sale.js';

/** Between the first query and the last: what was read is adopted, told, closed or queued, and the mark is moved. */
const phases = ['before', 'during', 'during3', 'during4', 'during5', 'during6', 'after'] as const;

describe.each([
  ['by webhook', ['adoptReported'], { PAYMENT_GATEWAY: 'stripe', STRIPE_SECRET_KEY: 'sk_test_adoption' }],
  ['by the look of the schedule', ['lookForChanges'], { EXPIRY_SWEEP_SECONDS: '1' }],
] as const)('a refund and a dispute that come in %s', (_how, places, settings) => {
  const crashFolder = mkdtempSync(join(tmpdir(), 'holdfast-crash-'));
  const own = ownStack({
    ...quickTakeover,
    ...settings,
    STRIPE_WEBHOOK_SECRET: 'whsec_adoption',
    HOLDFAST_CRASH_POINTS: crashFolder,
  });
  const byHand = async (path: string, body: object) => {
    const answer = await fetch(`${own.stack.sandboxUrl}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(answer.ok).toBe(true);
  };
  const paymentOf = async (shop: Shop, orderId: string) =>
    (await shop.must(200, shop.get(`/api/orders/${orderId}`))).body.payment;

  describe.each(places)('survive kill -9 of the worker at %s', (activity) => {
    test.each(phases)('%s it acts', async (phase) => {
      const { shop } = own;
      const { sku, orderId } = await sold(shop);
      await shop.must(201, refundOrder(shop, orderId, { lines: [{ sku, quantity: 1 }], restock: true }));
      const { id: paymentId, providerReference } = await paymentOf(shop, orderId);
      const crashed = crashAt(crashFolder, `${activity}.${phase}`);
      await byHand(`/payments/${providerReference}/refunds`, { amount: 700 });
      await byHand(`/payments/${providerReference}/disputes`, { reason: 'fraudulent' });
      await crashed();
      const payment = await eventually('both to be adopted', async () => {
        const found = await paymentOf(shop, orderId);
        return found.refunded === 1700 && found.disputes.length === 1 && found;
      });
      expect(payment).toMatchObject({ status: 'partially_refunded', refundPending: 0 });
      expect(payment.disputes).toMatchObject([{ amount: 1300, status: 'open' }]);
      const { body } = await shop.get(`/api/refunds?paymentId=${paymentId}`);
      expect(body.items.map(({ amount }: { amount: number }) => amount).sort()).toEqual([1000, 700]);
      expect(await shop.stock(sku)).toMatchObject({ onHand: 8 });
    });
  });
});
