/** The undo of a purchase, with the steps in memory. Whole purchases are in domain/purchase/purchase.test.ts. */
import { beforeEach, expect, test, vi } from 'vitest';
import type { OrderState, OrderStep } from '../../domain/orders/steps.js';
import type { OrderInput } from './contract.js';
import { OrderInbox } from './inbox.js';
import { pay } from './payment.js';
import { OrderRecord } from './record.js';

type Close = Extract<OrderStep, { step: 'close' }>;

/** The order's row, and how many of the next closes fail after they were decided here. */
const store = vi.hoisted(() => ({ status: 'confirming', reason: '', failures: 0 }));

vi.mock('@temporalio/workflow', async (original) => ({
  ...(await original<typeof import('@temporalio/workflow')>()),
  setHandler: () => undefined,
  CancellationScope: { nonCancellable: <T>(run: () => T) => run(), current: () => ({}) },
}));
vi.mock('../shared/proxies.js', () => {
  const database = {
    settleOrder: async () => ({
      outcome: 'refused',
      state: stateOf('confirming'),
      transitions: [],
      refusal: { code: 'unavailable', detail: 'the settle was given up', extensions: {} },
    }),
    closeOrder: async ({ to, reason }: Pick<Close, 'to' | 'reason'>) => {
      if (store.failures-- > 0) throw new Error('Postgres is away');
      Object.assign(store, { status: to, reason });
      return { outcome: 'done', state: stateOf(to), transitions: [] };
    },
  };
  return { database, attemptInTask: database, compensation: () => database, singleActivity: {} };
});

const stateOf = (status: OrderState['status']): OrderState => ({
  status,
  totalAmount: 0,
  currency: 'USD',
  expiresInMs: null,
  inFlight: null,
  refused: null,
});
const caller = { actor: 'api_key:shop', traceparent: '', requestId: null };
const input: OrderInput = {
  orderId: 'ord_1',
  customer: null,
  lines: [],
  payment: null,
  confirm: true,
  holdSeconds: 900,
  draftSeconds: 900,
  supplierRecheckSeconds: 1,
  supplierMaxDelayed: 1,
  retry: { retryBaseScale: 1, gatewayTimeoutSeconds: 1 },
  caller,
  requestedAt: '2026-11-01T00:00:00.000000Z',
};

/** An order that is confirming, and whose settle was given up. */
function confirmingOrder() {
  const inbox = new OrderInbox('');
  const record = new OrderRecord('ord_1', inbox, [], '');
  record.adopt({ outcome: 'done', state: stateOf('confirming'), transitions: [] });
  return { input, inbox, record };
}

beforeEach(() => Object.assign(store, { status: 'confirming', reason: '', failures: 0 }));

test.each([0, 1])(
  'a cancel that gave up the settle decides how the order ends, and is answered, after %i failed closes',
  async (failures) => {
    store.failures = failures;
    const order = confirmingOrder();
    const cancel = { kind: 'cancel', request: { reason: 'too late', caller }, id: 'c1', bySignal: false } as const;
    const queued: Parameters<OrderInbox['put']>[0] = { ...cancel };
    order.inbox.put(queued);
    await pay(order, caller);
    expect(store).toMatchObject({ status: 'cancelled', reason: 'too late' });
    expect(queued.answer).toEqual({ kind: 'done', status: 'cancelled' });
    expect(order.inbox.hasWork).toBe(false);
  },
);

test('without a cancel the order fails, for the reason of the settle', async () => {
  const order = confirmingOrder();
  await pay(order, caller);
  expect(store).toMatchObject({ status: 'failed', reason: 'the settle was given up' });
});
