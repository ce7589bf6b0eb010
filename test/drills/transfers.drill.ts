import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import { crashAt } from '../setup/crash-points.js';
import { ownStack } from '../setup/own-stack.js';
import { quickTakeover, type ServerName } from '../setup/stack.js';
import { eventually, type Shop } from '../shop.js';
import { phases } from '../stack/crash/scenarios.js';
import { transferScenarios, transferSurvives } from '../stack/crash/transfer-scenarios.js';
import { byHand, goods, logOf, receive, send, shipped, untilStatus, whereabouts } from '../stack/transfers/goods.js';
import { conserves } from './conservation.js';

const crashFolder = mkdtempSync(join(tmpdir(), 'holdfast-crash-'));
const own = ownStack({
  ...quickTakeover,
  HOLDFAST_CRASH_POINTS: crashFolder,
  WORKERS: '2',
});

async function signal(workflowId: string, name: string, ...payload: unknown[]): Promise<void> {
  const connection = await Connection.connect({ address: own.stack.temporalAddress });
  await new Client({ connection }).workflow.getHandle(workflowId).signal(name, ...payload);
  await connection.close();
}

describe.each(transferScenarios)('a transfer that is $what survives kill -9 of the worker', (scenario) => {
  describe.each(scenario.activities)('at %s', (activity) => {
    test.each(phases)('%s it acts', async (phase) => {
      await transferSurvives(own.stack, crashFolder, scenario, activity, phase);
    });
  });
});

describe('total stock is constant while 200 transfers run both ways between two locations', () => {
  test.each<[ServerName]>([['worker'], ['api'], ['postgres'], ['temporal']])(
    'and %s is killed over and over',
    async (victim) => {
      const { readings, killed } = await conserves(own.stack, 200, victim);
      expect(readings).toBeGreaterThan(100);
      expect(killed).toBeGreaterThan(0);
      console.log(`  ${victim}: ${readings} readings, killed ${killed} times`);
    },
  );
});

test('a transfer whose hold was released by hand fails and moves nothing', async () => {
  const shop = own.shop;
  const { sku, from, to } = await goods(shop, 5);
  // The worker dies between holding and moving, which leaves time to change the books by hand.
  crashAt(crashFolder, 'moveTransfer.before');
  const moving = send(shop, { sku, quantity: 2, from, to });
  const reservationId = await eventually('the hold', async () => {
    const { body } = await shop.must(200, shop.get(`/api/inventory/${sku}`));
    return body.reservations[0]?.id as string | undefined;
  });
  await byHand(own.stack.databaseUrl, { kind: 'confirm', reservationId });
  const { status, body } = await moving;
  expect([status, body.code]).toEqual([409, 'invalid_state']);
  const transfer = await untilStatus(shop, body.transferId, 'failed');
  expect(transfer.failure.detail).toContain('reservation_decided');
  expect(await whereabouts(shop, sku)).toEqual({ main: 3, [to]: 0, transit: 0, held: 0 });
});

describe('a transfer whose worker dies after the goods arrive, called back before another worker resumes it', () => {
  const lost = async (
    activity: string,
    begin: (shop: Shop) => Promise<{ id: Promise<string>; sku: string; to: string }>,
  ) => {
    const shop = own.shop;
    const crashed = crashAt(crashFolder, `${activity}.after`);
    const { id, sku, to } = await begin(shop);
    await crashed();
    const { body } = await shop.must(200, shop.get(`/api/transfers?sku=${sku}`));
    await signal(`transfer/${body.items[0].id}`, 'cancel');
    expect(await untilStatus(shop, await id, 'completed')).toMatchObject({ received: 2 });
    expect(await whereabouts(shop, sku)).toEqual({ main: 0, [to]: 2, transit: 0, held: 0 });
    const { body: reviews } = await shop.must(200, shop.get('/api/reviews?status=open&limit=200'));
    expect(
      reviews.items.filter(({ subject }: { subject: string }) => subject === `transfer/${body.items[0].id}`),
    ).toEqual([]);
  };

  test('moved at once: the goods stay at the destination', () =>
    lost('moveTransfer', async (shop) => {
      const { sku, from, to } = await goods(shop, 2);
      const id = shop.must(201, send(shop, { sku, quantity: 2, from, to })).then(({ body }) => body.id);
      return { id, sku, to };
    }));

  test('in transit: the goods stay at the destination', () =>
    lost('receiveTransfer', async (shop) => {
      const { sku, from, to } = await goods(shop, 2);
      const made = await shipped(shop, { sku, quantity: 2, from, to });
      const id = shop.must(200, receive(shop, made)).then(({ body }) => body.id);
      return { id, sku, to };
    }));
});

test('a receive whose worker dies after the goods arrive does not answer another that the retry takes first', async () => {
  const shop = own.shop;
  const { sku, from, to } = await goods(shop, 4);
  const id = await shipped(shop, { sku, quantity: 4, from, to });
  const crashed = crashAt(crashFolder, 'receiveTransfer.after');
  const receiving = receive(shop, id, { quantity: 3, reason: 'one is missing' });
  await crashed();
  // The history has it before the lost update, which is delivered again, so the new task takes this one first.
  await signal(`transfer/${id}`, 'receive', { quantity: 4 });
  expect((await shop.must(200, receiving)).body).toMatchObject({ status: 'completed', received: 3, lost: 1 });
  await eventually('the refused signal in the log', async () =>
    logOf(own.stack.home, id).includes('signal receive ignored: a transfer that is completed cannot become completed'),
  );
  expect(await whereabouts(shop, sku)).toEqual({ main: 0, [to]: 3, transit: 0, held: 0 });
});

test('while no worker runs, a transfer reads pending, and it continues when one does', async () => {
  const shop = own.shop;
  const { sku, from, to } = await goods(shop, 2);
  for (const index of [0, 1]) await eventually('the worker to be killed', () => own.stack.kill('worker', index)); // it may be just starting
  const { status, body } = await send(shop, { sku, quantity: 2, from, to }, { prefer: 'respond-async' });
  expect([status, body.status]).toEqual([202, 'pending']);
  const { body: read } = await shop.must(200, shop.get(`/api/transfers/${body.id}`));
  expect(read).toEqual(body);
  await untilStatus(shop, body.id, 'completed');
  expect(await whereabouts(shop, sku)).toEqual({ main: 0, [to]: 2, transit: 0, held: 0 });
});
