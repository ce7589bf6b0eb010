/**
 * The facts in the card processor's journal: one for every money call that reached it, and one for everything that was
 * done by hand. Lines that were written before a field existed do not have it, and are still read.
 */
import { z } from 'zod';

/** Minor units. */
export const amount = z.int().min(1).max(99_999_999);
const id = z.string().min(1).max(255);

export const authorizeBody = z.strictObject({
  token: z.string().max(255).regex(/^tok_/),
  amount,
  currency: z.string().regex(/^[A-Z]{3}$/),
  reference: id,
});
/** A card that somebody wants to keep: no money moves. */
export const storeBody = authorizeBody.pick({ token: true });
export const captureBody = z.strictObject({ amount });
export const refundBody = z.strictObject({ amount });
/** A void has no parameters: an empty object, or no body at all. */
export const voidBody = z.strictObject({}).optional();

/** A card as the books name it: by a token of this wire, or by a payment method of Stripe's. */
const card = z
  .string()
  .max(255)
  .regex(/^(tok|pm)_/);
/** Milliseconds since 1970. */
const instant = z.int();

/** A request without its key. The same key must always have the same request. */
const moneyRequest = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('authorize'), ...authorizeBody.shape, token: card }),
  /** `partial`: less than was authorized. */
  z.strictObject({ kind: z.literal('capture'), authorizationId: id, amount, partial: z.literal(true).optional() }),
  z.strictObject({ kind: z.literal('void'), authorizationId: id }),
  z.strictObject({ kind: z.literal('refund'), authorizationId: id, amount }),
]);
export type MoneyRequest = z.infer<typeof moneyRequest>;
export type CallKind = MoneyRequest['kind'];

/** The outcome of an operation. It is decided once and never changes. */
const outcome = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('authorized'), authorizationId: id }),
  z.strictObject({ kind: z.literal('declined'), authorizationId: id, declineCode: z.string() }),
  z.strictObject({
    kind: z.literal('captured'),
    /** Only if the cardholder disputes the payment at once. */
    dispute: z.strictObject({ disputeId: id, inquiry: z.boolean() }).optional(),
    /** Only if less is settled than was asked for. */
    settled: z.int().min(0).optional(),
    /** Only if nothing is settled: the authorization then expires. */
    lapsesAt: instant.optional(),
  }),
  z.strictObject({ kind: z.literal('voided') }),
  z.strictObject({
    kind: z.literal('refunded'),
    refundId: id,
    /** Until then it is pending. Without it, it succeeds at once. */
    succeedsAt: instant.optional(),
    /** From then on it has failed, even if it had succeeded. */
    failsAt: instant.optional(),
  }),
  z.strictObject({
    kind: z.literal('refused'),
    code: z.enum([
      'already_captured',
      'already_voided',
      'not_authorized',
      'amount_mismatch',
      'not_captured',
      'over_refund',
      'disputed',
    ]),
  }),
]);
export type Outcome = z.infer<typeof outcome>;

const callFact = z.strictObject({
  /** Idempotency key. */
  key: id,
  /** When the call arrived. */
  at: instant,
  /** Only with the first call of the key. */
  request: moneyRequest.optional(),
  /** The call met a scripted fault. */
  fault: z.literal(true).optional(),
  /** Only with the call that decided the operation. */
  outcome: outcome.optional(),
  /** When the operation was decided, if that was later than the call arrived. */
  decidedAt: instant.optional(),
});
export type CallFact = z.infer<typeof callFact>;

const handFact = z.discriminatedUnion('type', [
  /** Money that somebody moved in the processor's own pages. */
  z.strictObject({ type: z.literal('by_hand'), at: instant, request: moneyRequest, outcome }),
  z.strictObject({
    type: z.literal('dispute_opened'),
    at: instant,
    authorizationId: id,
    disputeId: id,
    amount,
    reason: id,
    inquiry: z.boolean(),
    refundable: z.boolean(),
  }),
  z.strictObject({ type: z.literal('dispute_changed'), at: instant, disputeId: id, amount }),
  z.strictObject({
    type: z.literal('dispute_closed'),
    at: instant,
    disputeId: id,
    status: z.enum(['won', 'lost', 'closed']),
  }),
]);
export type HandFact = z.infer<typeof handFact>;

export const fact = z.union([callFact, handFact]);
export type Fact = z.infer<typeof fact>;
