/** The language of the suppliers' journal: what a test has scripted, and one fact for every call that reached them. */
import { z } from 'zod';

const id = z.string().min(1).max(255);
const sku = z.string().min(1).max(64);
const quantity = z.int().min(1).max(1_000_000_000);

/** How a call goes wrong. `lost`: it happens, and the first answer of each key is lost; the others do not happen. */
const fault = z.enum(['timeout', 'malformed', 'error']);
const faultOrLost = z.enum([...fault.options, 'lost']);

/** Whether an entry of an array names a fault. */
export function isFault(entry: string): entry is z.infer<typeof fault> {
  return fault.safeParse(entry).success;
}

/**
 * What the suppliers do about one SKU. What is left out goes well. Entries of an array are told one a question, for each
 * reservation or order; the last one repeats. An entry is told as it stands, unless it names a fault.
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
/** Without a quantity it is asked for one. */
export const availabilityBody = z.strictObject({ sku, quantity: quantity.default(1) });
/** What else an order says (prices, addresses) is the supplier's business and is not looked at. */
export const orderBody = z.looseObject({ sku, quantity, idempotencyKey: id });

/** What a supplier can be asked for and then followed by its id. */
const deedKind = z.enum(['reservation', 'order']);
export type DeedKind = z.infer<typeof deedKind>;

/** What came of asking. One that was given up before it was made is there too, so that it cannot be made any more. */
const made = z.strictObject({ id, accepted: z.boolean() });

/** `at`: milliseconds since 1970. */
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
    /** As it came. */
    named: id,
    outcome: z.enum([...fault.options, 'cancelled', 'too_late', 'unknown']),
    /** A key that nothing was made of is closed. */
    made: made.optional(),
  }),
  z.strictObject({ type: z.literal('availability'), at: z.int(), sku, quantity, told: z.string() }),
]);
export type Fact = z.infer<typeof fact>;
