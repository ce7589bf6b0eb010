/** Which processor each call about a card goes to, and how a charge in doubt is undone there. */
import { describe, expect, test, vi } from 'vitest';
import { connect } from '../db/postgres/client.js';
import type { GatewayName } from '../domain/payments/gateways.js';
import type { CardOperation } from '../domain/purchase/steps.js';
import { GatewayFault } from '../gateways/http/fault.js';
import type { PaymentGateway } from '../gateways/payment/gateway.js';
import { paymentGateways } from '../gateways/payment/registry.js';
import { cardCalls } from './card-calls.js';
import { paymentActivities } from './payments.js';

vi.mock('./context.js', () => ({
  isInWorkflowTask: () => false,
  attemptNumber: () => 1,
  callOptions: () => ({}),
  timed: async (call: () => Promise<object>) => ({ ...(await call()), heldTaskMs: 0 }),
}));

const operation: CardOperation = {
  ...{ paymentId: 'pay_1', card: 'primary', token: 'tok_1', amount: 1000, currency: 'USD' },
  ...{ reference: 'ord_1', customerId: null, traceparent: '' },
};

/** No step here asks Postgres. */
const { sql } = connect('postgres://x:y@127.0.0.1:1/none', { applicationName: 'test', maxConnections: 1 });

/** A processor with one authorization. `remembers`: it stores ids and can cancel. */
class Processor {
  status: 'none' | 'authorized' | 'captured' | 'voided' = 'none';
  refunded = 0;
  readonly calls: string[] = [];
  readonly gateway: PaymentGateway;

  constructor(name: GatewayName, remembers: boolean) {
    const call = <T>(what: string, answer: () => T): Promise<T> => {
      this.calls.push(what);
      return Promise.resolve(answer());
    };
    const voided = () => {
      if (this.status === 'captured') return { kind: 'captured' } as const;
      this.status = 'voided';
      return { kind: 'voided' } as const;
    };
    const authorized = { kind: 'authorized', authorizationId: 'id_1' } as const;
    this.gateway = {
      name,
      storesIds: remembers,
      authorize: async (_operation, { known, remember }) => {
        this.calls.push(`authorize, known ${known}`);
        if (remembers) await remember('id_1');
        if (this.status === 'none') this.status = 'authorized';
        return authorized;
      },
      findAuthorization: (_operation, known) =>
        call(`find, known ${known}`, () => (this.status === 'none' ? null : authorized)),
      capture: () => call('capture', () => ({ kind: 'captured' }) as const),
      findCapture: () => call('find capture', () => null),
      void: () => call('void', voided),
      ...(remembers && {
        cancel: (_operation: CardOperation, known: string | null) => call(`cancel, known ${known}`, voided),
      }),
      undoCapture: (_operation, _id, amount) =>
        call(`return ${amount}`, () => {
          this.refunded += amount;
          return { kind: 'returned' } as const;
        }),
      // The undo of a charge is no refund of our books.
      refund: () => Promise.reject(new Error('not the undo of a charge')),
      findRefund: () => Promise.reject(new Error('not the undo of a charge')),
      storeCard: () => Promise.reject(new Error('not the undo of a charge')),
      read: () =>
        call('read', () => ({
          ...{
            authorizationId: 'id_1',
            paymentId: 'pay_1',
            card: 'primary' as const,
            madeBy: 'us' as const,
            reference: null,
            expired: false,
            currency: 'USD',
            createdAt: '2026-11-20T10:00:00.000Z',
            status: this.status === 'none' ? ('voided' as const) : this.status,
          },
          ...{ amount: 1000, captured: this.status === 'captured' ? 1000 : 0, refunded: this.refunded },
          ...{ voided: this.status === 'voided', refundable: true, refunds: [], disputes: [] },
        })),
      fingerprint: () => Promise.reject(new Error('an undo scores nothing')),
      changes: () => call('changes', () => ({ books: [], events: [], cursor: null, until: '' })),
      list: () => call('list', () => ({ payments: [], refunds: [], disputes: [], cursor: null })),
      close: async () => undefined,
    };
  }
}

/** Both processors, and the activities on them. `ids` is what Postgres keeps. */
function shop({ givenUp = false } = {}) {
  const sandbox = new Processor('sandbox', false);
  const stripe = new Processor('stripe', true);
  const ids = new Map<string, string>();
  const lookUps: string[] = [];
  const calls = cardCalls({
    payments: paymentGateways([sandbox.gateway, stripe.gateway]),
    fraud: { score: async () => 0.1, close: async () => undefined },
    ids: {
      find: async (paymentId, card) => {
        lookUps.push(card);
        return ids.get(`${paymentId}/${card}`) ?? null;
      },
      remember: async (paymentId, card, _gateway, id) => {
        if (givenUp) throw new Error('the card was given up');
        ids.set(`${paymentId}/${card}`, id);
      },
    },
    gatewayTimeoutSeconds: 1,
  });
  const activities = paymentActivities({
    calls,
    sql,
    onRecorded: () => undefined,
    around: (_name, _about, act) => act(),
  });
  return { sandbox, stripe, ids, lookUps, activities };
}

describe('a payment', () => {
  test('is charged at the processor of its row', async () => {
    const { sandbox, stripe, activities } = shop();
    await activities.authorizeCard({ ...operation, gateway: 'stripe' }, null);
    expect([sandbox.calls, stripe.calls]).toEqual([[], ['find, known null', 'authorize, known null']]);
  });

  test('of a recorded history is at the sandbox, and no id of it is looked up', async () => {
    const { sandbox, stripe, lookUps, activities } = shop();
    await activities.authorizeCard(operation, null);
    await activities.captureCard(operation, 'id_1', null);
    await activities.undoCard(operation);
    expect(sandbox.calls).toContain('void');
    expect([stripe.calls, lookUps]).toEqual([[], []]);
  });

  test('at a processor that is not set up here is in doubt, and nothing is called', async () => {
    const activities = paymentActivities({
      ...{ onRecorded: () => undefined, around: (_name, _about, act) => act() },
      calls: cardCalls({
        payments: paymentGateways([]),
        fraud: { score: async () => 0.1, close: async () => undefined },
        ids: { find: async () => null, remember: async () => undefined },
        gatewayTimeoutSeconds: 1,
      }),
      sql,
    });
    const card = { ...operation, gateway: 'stripe' } as const;
    await expect(activities.undoCard(card)).rejects.toThrow('stripe is not set up here');
  });

  test('whose id was stored is found by it', async () => {
    const { stripe, activities } = shop();
    const card = { ...operation, gateway: 'stripe' } as const;
    await activities.authorizeCard(card, null);
    await activities.authorizeCard(card, null);
    expect(stripe.calls.at(-1)).toBe('find, known id_1');
  });

  test('whose card was given up is not authorized, since its id cannot be stored', async () => {
    const { stripe, activities } = shop({ givenUp: true });
    await expect(activities.authorizeCard({ ...operation, gateway: 'stripe' }, null)).rejects.toThrow('given up');
    expect(stripe.status).toBe('none');
  });
});

describe('the undo of a charge in doubt', () => {
  const card = { ...operation, gateway: 'stripe' } as const;

  test('cancels where the processor can, and does not authorize to learn its fate', async () => {
    const { stripe, activities } = shop();
    await activities.undoCard(card);
    expect(stripe.calls).toEqual(['cancel, known null']);
    expect(stripe.status).toBe('voided');
  });

  test('returns the money that was captured before it could cancel, once', async () => {
    const { stripe, ids, activities } = shop();
    ids.set('pay_1/primary', 'id_1');
    stripe.status = 'captured';
    for (let n = 0; n < 2; n++) await activities.undoCard(card);
    expect(stripe.refunded).toBe(1000);
    expect(stripe.calls).not.toContain('authorize, known id_1');
    expect(stripe.calls.slice(0, 2)).toEqual(['cancel, known id_1', 'find, known id_1']);
  });

  test('repeats the authorization where the processor cannot cancel, and voids it', async () => {
    const { sandbox, activities } = shop();
    await activities.undoCard(operation);
    expect(sandbox.calls).toEqual(['find, known null', 'authorize, known null', 'read', 'void', 'read']);
    expect(sandbox.status).toBe('voided');
  });

  test('goes on while the processor does not answer', async () => {
    const { stripe, activities } = shop();
    stripe.gateway.cancel = () => Promise.reject(new GatewayFault('payment', 'no_answer', 'nothing'));
    await expect(activities.undoCard(card)).rejects.toMatchObject({ type: 'no_answer' });
  });
});
