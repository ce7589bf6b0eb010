import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { quickTakeover, type Stack, startStack } from '../../setup/stack.js';
import { eventually, Shop } from '../../shop.js';
import { conserves } from '../transfers/conservation.js';
import { byHand, goods, logOf, receive, send, shipped, untilStatus, whereabouts } from '../transfers/goods.js';
import { transferScenarios, transferSurvives } from './transfer-scenarios.js';

const crashFolder = mkdtempSync(join(tmpdir(), 'holdfast-crash-'));
let stack: Stack;

beforeAll(async () => {
  stack = await startStack({
    ...quickTakeover,
    HOLDFAST_CRASH_POINTS: crashFolder,
    WORKERS: '2',
    RETRY_BASE_SCALE: '0.01',
    GATEWAY_TIMEOUT_SECONDS: '1',
    RATE_LIMIT_PER_MINUTE: '1000000',
  });
});
afterAll(() => stack?.stop());

async function signal(workflowId: string, name: string, ...payload: unknown[]): Promise<void> {
  const connection = await Connection.connect({ address: stack.temporalAddress });
  await new Client({ connection }).workflow.getHandle(workflowId).signal(name, ...payload);
  await connection.close();
}

/** A cut of the drill (test/drills/transfers.drill.ts): where goods are most likely to be doubled or lost. */
describe('a transfer survives kill -9 of the worker', () => {
  test.each([
    ['moveTransfer', 'during'],
    ['undoTransfer', 'after'],
  ] as const)('at %s, %s it acts', async (activity, phase) => {
    const scenario = transferScenarios.find(({ activities }) => activities.includes(activity));
    if (scenario === undefined) throw new Error(`no scenario comes by ${activity}`);
    await transferSurvives(stack, crashFolder, scenario, activity, phase);
  });
});

test('a transfer whose hold somebody has taken fails, and moves nothing', async () => {
  const shop = new Shop(stack);
  const { sku, from, to } = await goods(shop, 5);
  // The worker dies between holding and moving: time enough for a person to change the books.
  writeFileSync(join(crashFolder, 'moveTransfer.before'), '');
  const moving = send(shop, { sku, quantity: 2, from, to });
  const reservationId = await eventually('the hold', async () => {
    const { body } = await shop.must(200, shop.get(`/api/inventory/${sku}`));
    return body.reservations[0]?.id as string | undefined;
  });
  await byHand(stack.databaseUrl, { kind: 'confirm', reservationId });
  const { status, body } = await moving;
  expect([status, body.code]).toEqual([409, 'invalid_state']);
  const transfer = await untilStatus(shop, body.transferId, 'failed');
  expect(transfer.failure.detail).toContain('reservation_decided');
  expect(await whereabouts(shop, sku)).toEqual({ main: 3, [to]: 0, transit: 0, held: 0 });
});

describe('a transfer whose worker dies when the goods have arrived, and which is called back before another takes it up', () => {
  const lost = async (
    activity: string,
    begin: (shop: Shop) => Promise<{ id: Promise<string>; sku: string; to: string }>,
  ) => {
    const shop = new Shop(stack);
    const name = `${activity}.after`;
    const taken = () => readdirSync(crashFolder).filter((file) => file.startsWith(`${name}.taken.`)).length;
    const before = taken();
    writeFileSync(join(crashFolder, name), '');
    const { id, sku, to } = await begin(shop);
    await eventually('the worker to be killed', async () => taken() > before);
    const { body } = await shop.must(200, shop.get(`/api/transfers?sku=${sku}`));
    await signal(`transfer/${body.items[0].id}`, 'cancel');
    expect(await untilStatus(shop, await id, 'completed')).toMatchObject({ received: 2 });
    expect(await whereabouts(shop, sku)).toEqual({ main: 0, [to]: 2, transit: 0, held: 0 });
    const { body: reviews } = await shop.must(200, shop.get('/api/reviews?status=open&limit=200'));
    expect(
      reviews.items.filter(({ subject }: { subject: string }) => subject === `transfer/${body.items[0].id}`),
    ).toEqual([]);
  };

  test('at once: stays where it is', () =>
    lost('moveTransfer', async (shop) => {
      const { sku, from, to } = await goods(shop, 2);
      const id = shop.must(201, send(shop, { sku, quantity: 2, from, to })).then(({ body }) => body.id);
      return { id, sku, to };
    }));

  test('from its way: stays where it is', () =>
    lost('receiveTransfer', async (shop) => {
      const { sku, from, to } = await goods(shop, 2);
      const made = await shipped(shop, { sku, quantity: 2, from, to });
      const id = shop.must(200, receive(shop, made)).then(({ body }) => body.id);
      return { id, sku, to };
    }));
});

test('a receive whose worker dies when the goods have arrived does not answer another that comes first the second time', async () => {
  const shop = new Shop(stack);
  const { sku, from, to } = await goods(shop, 4);
  const id = await shipped(shop, { sku, quantity: 4, from, to });
  const taken = () => readdirSync(crashFolder).filter((file) => file.startsWith('receiveTransfer.after.taken.')).length;
  const before = taken();
  writeFileSync(join(crashFolder, 'receiveTransfer.after'), '');
  const receiving = receive(shop, id, { quantity: 3, reason: 'one is missing' });
  await eventually('the worker to be killed', async () => taken() > before);
  // In the history before the lost update, which is handed out again: the new task takes this one first.
  await signal(`transfer/${id}`, 'receive', { quantity: 4 });
  expect((await shop.must(200, receiving)).body).toMatchObject({ status: 'completed', received: 3, lost: 1 });
  await eventually('the refused signal in the log', async () =>
    logOf(stack.home, id).includes('signal receive ignored: a transfer that is completed cannot become completed'),
  );
  expect(await whereabouts(shop, sku)).toEqual({ main: 0, [to]: 3, transit: 0, held: 0 });
});

test('while no worker runs a transfer reads pending, and it goes on when one does', async () => {
  const shop = new Shop(stack);
  const { sku, from, to } = await goods(shop, 2);
  for (const index of [0, 1]) await eventually('the worker to be killed', () => stack.kill('worker', index)); // it may be just starting
  const { status, body } = await send(shop, { sku, quantity: 2, from, to }, { prefer: 'respond-async' });
  expect([status, body.status]).toEqual([202, 'pending']);
  const { body: read } = await shop.must(200, shop.get(`/api/transfers/${body.id}`));
  expect(read).toEqual(body);
  await untilStatus(shop, body.id, 'completed');
  expect(await whereabouts(shop, sku)).toEqual({ main: 0, [to]: 2, transit: 0, held: 0 });
});

test('the sum over all places stands still while 45 transfers run both ways and workers are killed', async () => {
  const { readings, killed } = await conserves(stack, 45, 'worker');
  expect(readings).toBeGreaterThan(100);
  expect(killed).toBeGreaterThan(0);
}, 180_000);
