import { describe, expect, test } from 'vitest';
import { nothingCharged, nothingDone } from '../../domain/purchase/steps.js';
import { currentCharge, currentInput, currentOrderInput, currentPurchase } from './earlier-names.js';

const retry = { retryBaseScale: 0.5, gatewayTimeoutSeconds: 7 };
/** Decodes a payload of an earlier release, without checking its shape. */
const recorded = <T>(payload: string): T => JSON.parse(payload);

describe('an input of an earlier release', () => {
  test('gets its retry settings under the present name', () => {
    const input = recorded<{ retry: typeof retry }>(JSON.stringify({ sku: 'A', pace: retry }));
    expect(currentInput(input)).toMatchObject({ sku: 'A', retry });
  });

  test('of an order keeps whether its purchase is a single activity', () => {
    type Input = Parameters<typeof currentOrderInput>[0];
    const before = recorded<Input>(JSON.stringify({ pace: retry, inOneGo: true }));
    expect(currentOrderInput(before)).toMatchObject({ retry, singleActivity: true });
    const stepByStep = recorded<Input>(JSON.stringify({ pace: retry }));
    expect(currentOrderInput(stepByStep).singleActivity).toBeUndefined();
  });
});

test('an input with present names is unchanged', () => {
  const input = { retry, singleActivity: true } as const;
  expect(currentOrderInput(input)).toBe(input);
});

describe('a result of an earlier release', () => {
  const { mayHoldMoney: _, ...charge } = nothingCharged();
  const known = { outcome: 'done', state: null, transitions: [] };

  test('of a charge keeps whether a lost task may have left money on the card', () => {
    expect(currentCharge(charge)).toEqual(nothingCharged());
    expect(currentCharge({ ...charge, begunBefore: true })).toEqual({ ...nothingCharged(), mayHoldMoney: true });
  });

  test('of a purchase keeps what was reserved, charged and settled', () => {
    type Recorded = Parameters<typeof currentPurchase>[0];
    const before = recorded<Recorded>(JSON.stringify({ begun: known, charge, settled: known }));
    expect(currentPurchase(before)).toEqual({ reserved: known, charge: nothingCharged(), settled: known });
    const stopped = recorded<Recorded>(JSON.stringify({ begun: null, charge: null, settled: null }));
    expect(currentPurchase(stopped)).toEqual(nothingDone());
  });
});
