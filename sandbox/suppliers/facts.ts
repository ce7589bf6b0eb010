/** The facts in the suppliers' journal: the scripts of tests, and one fact for every call that reached them. */
import { z } from 'zod';

const id = z.string().min(1).max(255);
const sku = z.string().min(1).max(64);
const quantity = z.int().min(1).max(1_000_000_000);

/**
 * Scripted faults. `lost`: the call happens, but the first answer of each key is lost. After any other fault it has not
 * happened.
 */
const fault = z.enum(['timeout', 'malformed', 'error']);
const faultOrLost = z.enum([...fault.options, 'lost']);

/** Whether an entry of a script names a fault. */
export function isFault(entry: string): entry is z.infer<typeof fault> {
  return fault.safeParse(entry).success;
}

/**
 * What the suppliers do about one SKU. Calls without an entry succeed. Each question about a reservation or order takes
 * the next entry of an array; the last one repeats. An entry is the answer itself, unless it names a fault.
 */
export const script = z.strictObject({
  reserve: z.union([z.strictObject({ accepted: z.boolean() }), faultOrLost]).optional(),
  status: z.array(z.string().min(1).max(40)).min(1).max(100).optional(),
  availability: z
    .union([z.strictObject({ available: z.boolean(), quantity: z.int().min(0).max(1_000_000_000) }), fault])
    .optional(),
  order: z.union([z.literal('ok'), faultOrLost]).optional(),
  delivery: z.array(z.string().min(1).max(40)).min(1).max(100).optional(),
  /** Cancelling a reservation or an order. */
  cancel: z.union([z.literal('ok'), fault]).optional(),
});
export type Script = z.infer<typeof script>;

export const reserveBody = z.strictObject({ sku, quantity, idempotencyKey: id });
/** The quantity defaults to 1. */
export const availabilityBody = z.strictObject({ sku, quantity: quantity.default(1) });
/** Other fields of an order (prices, addresses) are ignored. */
export const orderBody = z.looseObject({ sku, quantity, idempotencyKey: id });

/** What can be requested from a supplier and then tracked by its id. */
const deedKind = z.enum(['reservation', 'order']);
export type DeedKind = z.infer<typeof deedKind>;

/** The result of a request. A key that was cancelled first has one too, so that a late request makes nothing. */
const made = z.strictObject({ id, accepted: z.boolean() });

/** `at`: milliseconds since 1970. `told`: the status or outcome that was answered. Journals on disk fix all names. */
export const fact = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('script'), at: z.int(), sku, script }),
  z.strictObject({
    type: z.literal('ask'),
    at: z.int(),
    deed: deedKind,
    key: id,
    sku,
    quantity,
    fault: faultOrLost.optional(),
    made: made.optional(),
  }),
  z.strictObject({ type: z.literal('question'), at: z.int(), deed: deedKind, id, told: z.string() }),
  z.strictObject({ type: z.literal('look_up'), at: z.int(), deed: deedKind, key: id }),
  z.strictObject({
    type: z.literal('cancel'),
    at: z.int(),
    deed: deedKind,
    /** The id or key in the call. */
    named: id,
    outcome: z.enum([...fault.options, 'cancelled', 'too_late', 'unknown']),
    /** Set if nothing was made with the key before. */
    made: made.optional(),
  }),
  z.strictObject({ type: z.literal('availability'), at: z.int(), sku, quantity, told: z.string() }),
]);
export type Fact = z.infer<typeof fact>;
