/**
 * Validates answers of other systems. Their ids and texts are stored, shown and passed on, so all gateways use the same
 * rules for them. An answer that breaks a rule is malformed, and leaves open what happened.
 */
import { z } from 'zod';
import { holdsCardNumber } from '../../domain/cards/numbers.js';
import { GatewayFault } from './fault.js';

const maxIdLength = 128;
const maxTextLength = 2000;
const masked = '(removed: it contained what looks like a card number)';

/** An id, reference or code from a provider: visible ASCII, and no card number. */
export const providerId = z
  .string()
  .min(1)
  .max(maxIdLength)
  .regex(/^[\x21-\x7e]*$/)
  .refine((id) => !holdsCardNumber(id));

/** A text from a provider, for people: well-formed, without control characters. A text with a card number is replaced. */
export const providerText = z
  .string()
  .max(maxTextLength)
  .refine((text) => !/[\p{Cc}\p{Surrogate}]/u.test(text))
  .transform((text) => (holdsCardNumber(text) ? masked : text));

/** Returns the value in the expected shape; throws a GatewayFault `malformed` if it does not fit. */
export function expectShape<T>(gateway: string, schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const where = result.error.issues.map((issue) => issue.path.join('.') || 'body').join(', ');
  throw new GatewayFault(gateway, 'malformed', `malformed answer (${where})`);
}

const errorBody = z.object({
  error: z.object({ code: providerId, detail: providerText.optional(), declineCode: providerId.optional() }),
});

export type ProviderError = z.infer<typeof errorBody>['error'];

/** The `error` of a body; null if it has none. Throws a GatewayFault `malformed` if it does not fit. */
export function errorOf(gateway: string, body: unknown): ProviderError | null {
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, 'error')) return null;
  return expectShape(gateway, errorBody, body).error;
}
