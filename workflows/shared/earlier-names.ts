/**
 * Translates the names that inputs and results had up to 0.1.0, where they enter a workflow. Histories of that release
 * contain them, and its API starts new workflows with them. Remove a translation once the API is upgraded and the namespace
 * keeps no such history.
 */
import type { CardRecord, PurchaseRecord } from '../../domain/purchase/steps.js';
import type { RetrySettings } from './contract.js';

/** The input of any saga: `retry` was `pace`. */
export function currentInput<Input extends { readonly retry: RetrySettings }>(recorded: Input): Input {
  return hasPace(recorded) ? { ...recorded, retry: recorded.pace } : recorded;
}

function hasPace<Input extends object>(input: Input): input is Input & { readonly pace: RetrySettings } {
  return 'pace' in input;
}

/** The input of an order: `singleActivity` was `inOneGo`. */
export function currentOrderInput<Input extends { readonly retry: RetrySettings; readonly singleActivity?: true }>(
  recorded: Input,
): Input {
  const input = currentInput(recorded);
  return 'inOneGo' in input ? { ...input, singleActivity: true } : input;
}

/** The result of `chargeCard`, also contained in that of `checkoutOrder`: `mayHoldMoney` was `begunBefore`. */
export type RecordedCharge = CardRecord | (Omit<CardRecord, 'mayHoldMoney'> & { readonly begunBefore?: true });

export function currentCharge(recorded: RecordedCharge): CardRecord {
  if ('mayHoldMoney' in recorded) return recorded;
  const { begunBefore = false, ...record } = recorded;
  return { ...record, mayHoldMoney: begunBefore };
}

/** The result of `checkoutOrder`: `reserved` was `begun`. */
type RecordedPurchase =
  | PurchaseRecord
  | (Pick<PurchaseRecord, 'settled'> & {
      readonly begun: PurchaseRecord['reserved'];
      readonly charge: RecordedCharge | null;
    });

export function currentPurchase(recorded: RecordedPurchase): PurchaseRecord {
  if ('reserved' in recorded) return recorded;
  const { begun, charge, settled } = recorded;
  return { reserved: begun, charge: charge && currentCharge(charge), settled };
}
