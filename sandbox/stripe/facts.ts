/**
 * The facts in the journal of the Stripe face: what a client asked for, and what it was answered. What became of the
 * money is not here but in the processor's own journal, so that the two cannot contradict each other.
 */
import { z } from 'zod';

const id = z.string().min(1).max(255);
/** Milliseconds since 1970. */
const at = z.int();
const metadata = z.record(z.string(), z.string());
const json = z.record(z.string(), z.unknown());

const intent = z.strictObject({
  id,
  amount: z.int(),
  /** Upper case, as in the processor's books. */
  currency: z.string(),
  captureMethod: z.enum(['automatic', 'manual']),
  customer: id.nullable(),
  description: z.string().nullable(),
  metadata,
  setupFutureUsage: z.enum(['off_session', 'on_session']).nullable(),
  /** What it is to be paid with, if that was said when it was made. */
  method: id.nullable(),
});
export type IntentTerms = z.infer<typeof intent>;

export const fact = z.discriminatedUnion('type', [
  /** A call with this key has begun to act. All that it makes is named after its execution, so that it is made once. */
  z.strictObject({ type: z.literal('key_begun'), at, key: id, request: z.string(), execution: id, requestId: id }),
  z.strictObject({ type: z.literal('key_answered'), at, key: id, execution: id, status: z.int(), body: json }),
  /** One key is forgotten, or all of them. */
  z.strictObject({ type: z.literal('keys_expired'), at, key: id.nullable() }),
  z.strictObject({ type: z.literal('intent'), at, intent }),
  z.strictObject({ type: z.literal('metadata'), at, intent: id, metadata }),
  /** Written before the processor is asked. `challenged`: it is not asked, since the bank wants to see the cardholder. */
  z.strictObject({ type: z.literal('attempt'), at, intent: id, method: id, execution: id, challenged: z.boolean() }),
  /** Decides only if the processor has not authorized the intent. If it has, its books decide. */
  z.strictObject({ type: z.literal('cancelled'), at, intent: id, execution: id, reason: z.string().nullable() }),
  /** What a refund carries, by its key at the processor. */
  z.strictObject({ type: z.literal('refund'), at, operation: id, metadata, reason: z.string().nullable() }),
  z.strictObject({
    type: z.literal('customer'),
    at,
    id,
    email: z.string().nullable(),
    name: z.string().nullable(),
    description: z.string().nullable(),
    metadata,
  }),
  /** `token`: the card that it stands for, in the words of the processor. */
  z.strictObject({ type: z.literal('method'), at, id, token: id }),
  z.strictObject({ type: z.literal('attached'), at, method: id, customer: id }),
  z.strictObject({ type: z.literal('webhook'), at, url: z.string().nullable(), secret: z.string() }),
  z.strictObject({
    type: z.literal('event'),
    at,
    id,
    name: z.string(),
    /** What has happened to which object. No two events say the same. */
    milestone: id,
    object: json,
    /** Whether there was an address to send it to. */
    send: z.boolean(),
  }),
  z.strictObject({ type: z.literal('sent'), at, event: id, outcome: z.enum(['delivered', 'dropped', 'given_up']) }),
]);
export type Fact = z.infer<typeof fact>;
export type FactOf<Type extends Fact['type']> = Extract<Fact, { type: Type }>;
