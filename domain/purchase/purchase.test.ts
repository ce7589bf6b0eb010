import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Answer,
  confirming,
  is,
  oneCard,
  primaryGivenUp,
  Run,
  refusedAs,
  type Script,
} from '../../test/purchase-run.js';
import type { CardSlot } from '../payments/states.js';
import { charge } from './purchase.js';
import { type CardOperation, nothingCharged, nothingDone, type PurchaseRecord } from './steps.js';

const settled = 'settle order/ord_1/settle/pay_1';
const card = (slot: CardSlot) => [`score ${slot}`, `authorize ${slot}`, `capture ${slot}`];

describe('a purchase', () => {
  test('reserves, scores, authorizes, captures and settles', async () => {
    const run = new Run();
    expect(await run.go()).toMatchObject({ kind: 'confirmed', payment: { status: 'captured', cardUsed: 'primary' } });
    expect(run.log).toEqual(['reserve', ...card('primary'), settled]);
  });

  test('stays at the processor of the payment that was begun, with both cards and in its record', async () => {
    const { inFlight } = confirming;
    const run = new Run({
      reserve: is({ inFlight: inFlight && { ...inFlight, gateway: 'stripe' } }),
      authorize: 'declined',
    });
    expect(await run.go()).toMatchObject({ payment: { gateway: 'stripe', cardUsed: 'backup' } });
    expect(run.operations.map(({ card, gateway }) => [card, gateway])).toEqual([
      ['primary', 'stripe'],
      ['backup', 'stripe'],
    ]);
  });

  test('without a card is reserved and settled', async () => {
    const run = new Run({ reserve: is({ inFlight: null, totalAmount: 0 }) });
    expect(await run.go()).toEqual({ kind: 'confirmed', payment: null });
    expect(run.log).toEqual(['reserve', 'settle order/ord_1/settle/unpaid']);
  });

  test.each<[string, Script, string, string[]]>([
    ['lacks stock', { reserve: refusedAs('insufficient_stock', null) }, 'not_started', []],
    ['awaits restock', { reserve: is({ status: 'awaiting_restock', inFlight: null }) }, 'not_started', []],
    ['gets no answer to reserving', { reserve: null }, 'undecided', []],
    ['is blocked', { score: 0.9 }, 'refused', ['score primary']],
    [
      'is declined on both cards',
      { authorize: 'declined', backup: { authorize: 'declined' } },
      'refused',
      [...card('primary').slice(0, 2), ...card('backup').slice(0, 2)],
    ],
    [
      'is declined, and paid by the backup card',
      { authorize: 'declined' },
      'confirmed',
      [...card('primary').slice(0, 2), ...card('backup'), settled],
    ],
    [
      'loses an authorization, which is undone before the backup card is charged',
      { authorize: 'lost' },
      'confirmed',
      [...card('primary').slice(0, 2), 'give up primary', 'return money primary', ...card('backup'), settled],
    ],
    [
      'loses a capture, which is undone before it is refused',
      { reserve: oneCard, capture: 'lost' },
      'refused',
      [...card('primary'), 'give up primary', 'return money primary'],
    ],
    [
      'is declined at the capture',
      { reserve: oneCard, capture: 'declined' },
      'refused',
      [...card('primary'), 'give up primary', 'return money primary'],
    ],
    [
      'is cancelled before the capture',
      { cancel: true },
      'stopped',
      [...card('primary').slice(0, 2), 'give up primary', 'return money primary', 'end order, stopped'],
    ],
    [
      'a lost task has settled',
      { authorize: 'unanswered', giveUp: false },
      'decided',
      [...card('primary').slice(0, 2), 'give up primary'],
    ],
    [
      'cannot be settled: the money goes back, then the goods',
      { settle: refusedAs('internal', confirming) },
      'unsettled',
      [...card('primary'), settled, 'return money primary', 'end order, unsettled'],
    ],
    [
      'a lost task has given up before it could settle: the money goes back, and the goods stay held',
      { settle: refusedAs('internal', primaryGivenUp) },
      'refused',
      [...card('primary'), settled, 'return money primary'],
    ],
    [
      'a lost task has given up, and that a recorded history ends',
      { settle: refusedAs('internal', primaryGivenUp), refusesGivenUpCards: false },
      'unsettled',
      [...card('primary'), settled, 'return money primary', 'end order, unsettled'],
    ],
    ['gets no answer to settling', { settle: null }, 'undecided', [...card('primary'), settled]],
    [
      'was settled before',
      { settle: refusedAs('internal', { ...confirming, status: 'confirmed' }) },
      'confirmed',
      [...card('primary'), settled],
    ],
  ])('that %s', async (_what, script, kind, steps) => {
    const run = new Run(script);
    const outcome = await run.go();
    expect([outcome.kind, run.log]).toEqual([kind, ['reserve', ...steps]]);
    const paid = kind === 'confirmed' || kind === 'undecided' ? run.processor.holds.size : 0;
    expect(run.processor.holds.size).toBe(paid);
  });

  test('whose card was given up before charges only the other one', async () => {
    const inFlight = {
      paymentId: 'pay_1',
      choice: { cardToken: '1', backupCardToken: '2' },
      abandoned: ['primary'],
    } as const;
    const run = new Run({ reserve: is({ inFlight }) });
    expect(await run.go()).toMatchObject({ kind: 'confirmed', payment: { cardUsed: 'backup' } });
    expect(run.log).toEqual(['reserve', 'return money primary', ...card('backup'), settled]);
  });
});

describe('a purchase whose card a lost task has given up before it could settle', () => {
  const settle = refusedAs('internal', primaryGivenUp);

  test('is recorded as refused, with nothing taken', async () => {
    expect(await new Run({ settle }).go()).toMatchObject({
      refusal: { code: 'all_payment_attempts_failed' },
      payment: {
        ...{ status: 'failed', cardUsed: null, failure: { code: 'all_payment_attempts_failed' } },
        attempts: [{ card: 'primary', outcome: 'voided' }],
      },
    });
  });

  test('ends with its order if a cancel is queued', async () => {
    const whole = new Run();
    await whole.go();
    const run = new Run({ settle, cancel: true }, { ...whole.record, settled: null });
    expect([(await run.go()).kind, run.log]).toEqual([
      'unsettled',
      [settled, 'return money primary', 'end order, unsettled'],
    ]);
  });
});

describe('a purchase that is resumed', () => {
  const all = ['reserve', ...card('primary'), settled];

  test.each(all.map((_step, index) => index))('carries on after %i steps and repeats none', async (count) => {
    const whole = new Run();
    await whole.go();
    const { reserved, charge, settled: last } = whole.record;
    const { score = null, authorized = null, captured = null } = charge ?? {};
    const known = <T>(value: T, place: number): T | null => (place < count ? value : null);
    const record: PurchaseRecord = {
      reserved: known(reserved, 0),
      charge: {
        ...nothingCharged(),
        score: known(score, 1),
        authorized: known(authorized, 2),
        captured: known(captured, 3),
      },
      settled: known(last, 4),
    };
    const run = new Run({}, record);
    expect((await run.go()).kind).toBe('confirmed');
    expect(run.log).toEqual(all.slice(count));
  });

  test('repeats nothing where everything is recorded', async () => {
    const whole = new Run();
    await whole.go();
    const run = new Run({ reserve: null, settle: null }, whole.record);
    expect([await run.go(), run.log]).toMatchObject([{ kind: 'confirmed', payment: { id: 'pay_1' } }, []]);
  });

  const answer = fc.constantFrom<Answer>('done', 'declined', 'unanswered', 'lost');
  const cardScript = fc.record({ score: fc.constantFrom(0.1, 0.9, null), authorize: answer, capture: answer });
  const script = fc.record({
    ...{ score: fc.constantFrom(0.1, 0.9, null), authorize: answer, capture: answer, backup: cardScript },
    cancel: fc.boolean(),
    settle: fc.constantFrom(
      is({ status: 'confirmed', inFlight: null }),
      refusedAs('internal', confirming),
      refusedAs('internal', primaryGivenUp),
    ),
  });

  test('after any first attempt takes the money once where it is confirmed, and none otherwise', async () => {
    await fc.assert(
      fc.asyncProperty(script, script, fc.boolean(), async (first, then, answered) => {
        const inline = new Run({ ...first, inline: true });
        await inline.go();
        // A lost activity leaves no record: it may have taken the money.
        const lost = { ...nothingDone(), charge: { ...nothingCharged(), mayHoldMoney: true } };
        const { settled: refused } = inline.record;
        const record = { ...inline.record, settled: refused?.outcome === 'done' ? refused : null };
        const run = new Run(then, answered ? record : lost, inline.processor);
        const { kind } = await run.go();
        const holds = [...run.processor.holds.values()];
        expect(holds).toEqual(kind === 'confirmed' ? ['captured'] : []);
      }),
      { numRuns: 1000 },
    );
  });
});

test('each card of a renewal is charged as stored, without its holder', async () => {
  const operations: CardOperation[] = [];
  const facts = {
    ...{ paymentId: 'pay_1', orderId: null, amount: 100, currency: 'USD', customerId: 'cus_1', email: null },
    ...{ reference: null, cardToken: 'pm_1', backupCardToken: 'pm_2', traceparent: '', abandoned: [] },
    ...{ stored: { primary: 'cus_S1', backup: 'cus_S1' }, merchantInitiated: true as const },
  };
  const { kind } = await charge(
    facts,
    {
      firstAttempt: async () => nothingCharged(),
      score: async () => 0,
      authorize: async ({ operation }) => {
        operations.push(operation);
        return { kind: 'declined', code: 'payment_declined', declineCode: 'generic_decline', heldTaskMs: 0 };
      },
      mayCapture: async () => true,
      capture: async () => null,
      giveUp: async () => true,
      cancelWanted: () => false,
      now: () => new Date(0),
    },
    { card: null, giveBack: async () => undefined },
    nothingDone(),
  );
  expect(kind).toBe('refused');
  expect(operations).toMatchObject(
    ['pm_1', 'pm_2'].map((token) => ({ token, stored: { customer: 'cus_S1' }, merchantInitiated: true })),
  );
});
