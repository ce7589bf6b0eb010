/** The facts in the card processor's journal: one for every money call that reached it. */
import { z } from 'zod';

/** Minor units. */
const amount = z.int().min(1).max(99_999_999);
const id = z.string().min(1).max(255);

export const authorizeBody = z.strictObject({
  token: z.string().max(255).regex(/^tok_/),
  amount,
  currency: z.string().regex(/^[A-Z]{3}$/),
  reference: id,
});
export const captureBody = z.strictObject({ amount });
export const refundBody = z.strictObject({ amount });
/** A void has no parameters: an empty object, or no body at all. */
export const voidBody = z.strictObject({}).optional();

/** A request without its key. The same key must always have the same request. */
const moneyRequest = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('authorize'), ...authorizeBody.shape }),
  z.strictObject({ kind: z.literal('capture'), authorizationId: id, amount }),
  z.strictObject({ kind: z.literal('void'), authorizationId: id }),
  z.strictObject({ kind: z.literal('refund'), authorizationId: id, amount }),
]);
export type MoneyRequest = z.infer<typeof moneyRequest>;
export type CallKind = MoneyRequest['kind'];

/** The outcome of an operation. It is decided once and never changes. */
const outcome = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('authorized'), authorizationId: id }),
  z.strictObject({ kind: z.literal('declined'), authorizationId: id, declineCode: z.string() }),
  z.strictObject({ kind: z.literal('captured') }),
  z.strictObject({ kind: z.literal('voided') }),
  z.strictObject({ kind: z.literal('refunded'), refundId: id }),
  z.strictObject({
    kind: z.literal('refused'),
    code: z.enum([
      'already_captured',
      'already_voided',
      'not_authorized',
      'amount_mismatch',
      'not_captured',
      'over_refund',
    ]),
  }),
]);
export type Outcome = z.infer<typeof outcome>;

export const fact = z.strictObject({
  /** Idempotency key. */
  key: id,
  /** Milliseconds since 1970: when the call arrived. */
  at: z.int(),
  /** Only with the first call of the key. */
  request: moneyRequest.optional(),
  /** The call met a scripted fault. */
  fault: z.literal(true).optional(),
  /** Only with the call that decided the operation. */
  outcome: outcome.optional(),
});
export type Fact = z.infer<typeof fact>;
