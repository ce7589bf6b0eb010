/** What an operator reads in Temporal about each saga: a summary of every activity and timer, and how it ended. */
import { randomUUID } from 'node:crypto';
import { describe, expect, inject, test } from 'vitest';
import { sweepScheduleId } from '../../../workflows/sweep/contract.js';
import { sharedShop } from '../../shared.js';
import { eventually, newEmail } from '../../shop.js';
import { temporal } from '../../temporal.js';
import { Supply } from '../replenishment/supply.js';
import { goods, receive, send, shipped } from '../transfers/goods.js';

const shop = sharedShop();
const customer = { id: `cus-${randomUUID()}`, name: 'Ada Testperson', email: newEmail() };

interface Entry {
  readonly what: string;
  readonly summary: string | null;
}

/** A workflow's activities, local activities and timers, in order. */
async function entries(workflowId: string): Promise<Entry[]> {
  const { events } = await (await temporal()).workflow.getHandle(workflowId).fetchHistory();
  return (events ?? []).flatMap((event) => {
    const activity = event.activityTaskScheduledEventAttributes?.activityType?.name;
    const timer = event.timerStartedEventAttributes?.timerId;
    const local = event.markerRecordedEventAttributes?.markerName === 'core_local_activity' ? 'local activity' : null;
    const what = activity ?? (timer ? `timer ${timer}` : local);
    if (!what) return [];
    const data = event.userMetadata?.summary?.data;
    return [{ what, summary: data ? JSON.parse(Buffer.from(data).toString()) : null }];
  });
}

/** A workflow's summaries. Rejects if one is missing or reveals too much. */
async function summaries(workflowId: string): Promise<string[]> {
  const found = await entries(workflowId);
  expect(found.length).toBeGreaterThan(0);
  expect(found.filter(({ summary }) => !summary)).toEqual([]);
  const texts = found.map(({ summary }) => summary ?? '');
  for (const text of texts) {
    expect(text).not.toMatch(/tok_|@|cus-|Ada|Testperson|undefined|null|NaN|\[object/);
    expect(text.length).toBeLessThanOrEqual(200);
  }
  return texts;
}

/** The details that the Web UI shows about a workflow, even after its end. */
async function details(workflowId: string): Promise<string> {
  const handle = (await temporal()).workflow.getHandle(workflowId);
  const told = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
  return told.currentDetails ?? '';
}

const ended = (workflowId: string) =>
  eventually(`${workflowId} to end`, async () => {
    const handle = (await temporal()).workflow.getHandle(workflowId);
    return (await handle.describe()).status.name === 'COMPLETED';
  });

async function order(request: Parameters<typeof shop.order>[0]): Promise<string> {
  const { body } = await shop.order({ customer, ...request });
  return body.id ?? body.orderId;
}

describe("an order's history says", () => {
  test('that it was bought in one call, and with which card', async () => {
    const lines = [
      { sku: await shop.product(2), quantity: 1 },
      { sku: await shop.product(2), quantity: 2 },
    ];
    const id = await order({ lines, confirm: true, payment: { cardToken: 'tok_visa' } });
    await ended(`order/${id}`);
    expect(await summaries(`order/${id}`)).toEqual(['Reserve 2 lines, take the payment and confirm the order']);
    const { payment } = (await shop.get(`/api/orders/${id}`)).body;
    expect(await details(`order/${id}`)).toBe(
      `confirmed, 30.00 USD: paid with the primary card, payment ${payment.id}`,
    );
  });

  test('that it waited for a confirm, retried the processor, and was paid with the other card', async () => {
    const sku = await shop.product(5);
    const id = await shop.reserved(sku, 2, { customer });
    const payment = { cardToken: 'tok_auth_timeout_5', backupCardToken: 'tok_flaky_1' };
    await shop.must(200, shop.post(`/api/orders/${id}/confirm`, { payment }, { prefer: 'wait=30' }));
    await ended(`order/${id}`);
    const told = await summaries(`order/${id}`);
    expect(told).toEqual(
      expect.arrayContaining([
        'Open the order and reserve 1 line',
        'Wait for a confirm or a cancel until the hold ends',
        'Take the payment and confirm the order',
        'Wait before the next attempt (authorize)',
        'Authorize 20.00 USD on the primary card',
        'Give up the primary card',
        'Void or refund 20.00 USD on the primary card',
        expect.stringMatching(/^Confirm the order, paid with 20.00 USD on the backup card$/),
      ]),
    );
    expect(await details(`order/${id}`)).toMatch(/^confirmed, 20.00 USD: paid with the backup card, payment pay_/);
  });

  test.each(['tok_visa', 'tok_declined'])('where its code waits, when it was opened with %s', async (cardToken) => {
    const lines = [{ sku: await shop.product(2), quantity: 1 }];
    const id = await order({ lines, confirm: cardToken === 'tok_declined', payment: { cardToken } });
    expect(await shop.statusOf(id)).toBe('reserved');
    const handle = (await temporal()).workflow.getHandle(`order/${id}`);
    expect(await handle.query('__stack_trace')).toMatch(/waitForWork[\s\S]*order\/order\.ts/);
  });

  test('what it asked of suppliers, and who cancelled it', async () => {
    const sku = await shop.supplied(1, { status: ['delayed'] });
    const id = await order({ lines: [{ sku, quantity: 3 }] });
    await shop.must(200, shop.cancel(id, 'too late'));
    await ended(`order/${id}`);
    expect(await summaries(`order/${id}`)).toEqual(
      expect.arrayContaining([
        `Ask the supplier to put 2 of ${sku} aside`,
        `Wait before asking the supplier about 2 of ${sku}`,
        'Stop waiting for the suppliers',
        `Cancel 2 of ${sku} at the supplier`,
        'Free the stock and end the order as cancelled',
      ]),
    );
    expect(await details(`order/${id}`)).toMatch(/^cancelled, 30.00 USD: by api_key:\S+: too late$/);
  });

  test('why it failed', async () => {
    const id = await order({ lines: [{ sku: await shop.product(1), quantity: 2 }] });
    await ended(`order/${id}`);
    expect(await details(`order/${id}`)).toBe(
      'failed, 20.00 USD: insufficient_stock, insufficient stock: available=1, requested=2',
    );
    const sku = await shop.product(1);
    const declined = await shop.reserved(sku);
    for (const _ of [1, 2, 3]) await shop.confirm(declined, 'tok_declined');
    await ended(`order/${declined}`);
    await summaries(`order/${declined}`);
    expect(await details(`order/${declined}`)).toContain('was refused: payment_declined, ');
  });
});

describe('the histories of other sagas say, for', () => {
  test('a payment: what happened to which card, and how it ended', async () => {
    const body = { amount: 900, currency: 'GBP', cardToken: 'tok_insufficient_funds', backupCardToken: 'tok_visa' };
    const paid = await shop.must(201, shop.post('/api/payments', body, { prefer: 'wait=30' }));
    await ended(`payment/${paid.body.id}`);
    expect(await summaries(`payment/${paid.body.id}`)).toEqual([
      'Score the risk of, authorize and capture 9.00 GBP on the primary card',
      'Score the risk of, authorize and capture 9.00 GBP on the backup card',
      'Record the payment as captured: 9.00 GBP on the backup card',
    ]);
    expect(await details(`payment/${paid.body.id}`)).toBe(
      'captured, 9.00 GBP: primary card declined, backup card captured',
    );
    const refused = await shop.post('/api/payments', { ...body, backupCardToken: undefined }, { prefer: 'wait=30' });
    await ended(`payment/${refused.body.paymentId}`);
    expect(await details(`payment/${refused.body.paymentId}`)).toMatch(/^declined, 9.00 GBP: insufficient_funds, /);
  });

  test('a transfer: where the goods went, and what happened to them', async () => {
    const { sku, from, to } = await goods(shop, 9);
    const id = await shipped(shop, { sku, quantity: 5, from, to });
    await receive(shop, id, { quantity: 4, reason: 'one broke' });
    await ended(`transfer/${id}`);
    expect(await summaries(`transfer/${id}`)).toEqual([
      `Hold 5 of ${sku} at ${from}`,
      'Ship the goods: move them into transit',
      'Receive 4; book the rest as lost',
    ]);
    expect(await details(`transfer/${id}`)).toBe(
      `completed, 5 of ${sku} from ${from} to ${to}: 4 arrived, the rest is lost`,
    );
    const failed = await send(shop, { sku, quantity: 50, from, to });
    await ended(`transfer/${failed.body.transferId}`);
    expect(await details(`transfer/${failed.body.transferId}`)).toContain(': insufficient_stock, ');
  });

  test('a replenishment: what was ordered, and that it was delivered', async () => {
    const supply = new Supply(shop, inject('sandboxUrl'));
    const sku = await supply.product({}, { delivery: ['ordered', 'shipped', 'delivered'] });
    const { purchaseOrderId } = await supply.ended(await supply.replenish(sku));
    await ended(`replenishment/${sku}/main`);
    expect(await summaries(`replenishment/${sku}/main`)).toEqual(
      expect.arrayContaining([
        `Plan what to order of ${sku} for main`,
        `Order 16 of ${sku} from the supplier`,
        'Wait for the next delivery check',
        'Receive the delivered goods into stock',
      ]),
    );
    expect(await details(`replenishment/${sku}/main`)).toBe(
      `completed: 16 of ${sku} delivered, purchase order ${purchaseOrderId}`,
    );
  });

  test('mails and the sweep: what they do', async () => {
    const client = await temporal();
    await client.schedule.getHandle(sweepScheduleId).trigger();
    for (const [type, summary] of [
      ['notices', /^Send \d+ mails?$/],
      ['sweep', /^Expire orders that are past their time$/],
    ] as const)
      await eventually(`a history of ${type}`, async () => {
        for await (const { workflowId } of client.workflow.list({
          query: `WorkflowType = '${type}' AND ExecutionStatus = 'Completed'`,
        })) {
          expect((await summaries(workflowId)).some((text) => summary.test(text))).toBe(true);
          return true;
        }
        return false;
      });
  });
});
