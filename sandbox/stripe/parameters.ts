/** The parameters of Stripe's calls: text in a form, with brackets for what is nested. */
import { z } from 'zod';
import { invalid, type StripeError } from './errors.js';

const integer = z
  .string()
  .regex(/^-?\d{1,15}$/, 'integer')
  .transform(Number);
const flag = z.enum(['true', 'false']).transform((text) => text === 'true');
const text = z.string().max(5000);
const id = z.string().min(1).max(255);
const loose = z.unknown();
const metadata = z
  .record(z.string().min(1).max(40), z.string().max(500))
  .refine((given) => Object.keys(given).length <= 50, 'at most 50 keys');
const expand = z.array(z.string()).optional();
const methodData = z.strictObject({
  type: z.literal('card'),
  card: z.strictObject({ token: id }),
  billing_details: loose.optional(),
  metadata: loose.optional(),
});

/** Of both creating with `confirm` and confirming later. */
const confirming = {
  payment_method: id.optional(),
  payment_method_data: methodData.optional(),
  payment_method_options: loose.optional(),
  setup_future_usage: z.enum(['off_session', 'on_session', '']).optional(),
  off_session: z.union([flag, z.enum(['one_off', 'recurring']).transform(() => true)]).optional(),
  error_on_requires_action: flag.optional(),
  capture_method: z.enum(['automatic', 'automatic_async', 'manual']).optional(),
  receipt_email: text.optional(),
  return_url: text.optional(),
  shipping: loose.optional(),
  use_stripe_sdk: flag.optional(),
  mandate_data: loose.optional(),
  expand,
};

export const createIntent = z.strictObject({
  ...confirming,
  amount: integer,
  currency: z.string().regex(/^[a-zA-Z]{3}$/),
  confirm: flag.optional(),
  customer: id.optional(),
  description: text.optional(),
  metadata: metadata.optional(),
  automatic_payment_methods: z
    .strictObject({ enabled: flag, allow_redirects: z.enum(['always', 'never']).optional() })
    .optional(),
  confirmation_method: z.enum(['automatic', 'manual']).optional(),
  payment_method_types: z.array(z.literal('card')).optional(),
  statement_descriptor: text.optional(),
  statement_descriptor_suffix: text.optional(),
  transfer_group: text.optional(),
});
export const confirmIntent = z.strictObject(confirming);
export const captureIntent = z.strictObject({
  amount_to_capture: integer.optional(),
  final_capture: flag.optional(),
  metadata: metadata.optional(),
  statement_descriptor: text.optional(),
  statement_descriptor_suffix: text.optional(),
  expand,
});
export const cancelIntent = z.strictObject({
  cancellation_reason: z.enum(['abandoned', 'duplicate', 'fraudulent', 'requested_by_customer']).optional(),
  expand,
});
export const createRefund = z.strictObject({
  payment_intent: id.optional(),
  charge: id.optional(),
  amount: integer.optional(),
  reason: z.enum(['duplicate', 'fraudulent', 'requested_by_customer']).optional(),
  metadata: metadata.optional(),
  expand,
});
export const createCustomer = z.strictObject({
  email: text.optional(),
  name: text.optional(),
  phone: text.optional(),
  description: text.optional(),
  metadata: metadata.optional(),
  payment_method: id.optional(),
  address: loose.optional(),
  invoice_settings: loose.optional(),
  expand,
});
export const createMethod = z.strictObject({ ...methodData.shape, expand });
export const attachMethod = z.strictObject({ customer: id, expand });
/** The client's own page sends its secret along. */
export const retrieveIntent = z.strictObject({ client_secret: text.optional(), expand });
export const nothingMore = z.strictObject({ expand });

const page = {
  limit: integer.pipe(z.int().min(1).max(100)).default(10),
  starting_after: id.optional(),
  ending_before: id.optional(),
  created: z
    .union([
      integer,
      z.strictObject({
        gt: integer.optional(),
        gte: integer.optional(),
        lt: integer.optional(),
        lte: integer.optional(),
      }),
    ])
    .optional(),
  expand,
};
export const listIntents = z.strictObject({ ...page, customer: id.optional() });
/** Of disputes too. */
export const listRefunds = z.strictObject({ ...page, payment_intent: id.optional(), charge: id.optional() });
export const listEvents = z.strictObject({
  ...page,
  type: id.optional(),
  types: z.array(id).max(20).optional(),
  delivery_success: flag.optional(),
});
export type Page = Pick<z.infer<typeof listIntents>, 'limit' | 'starting_after' | 'ending_before' | 'created'>;

/** Throws Stripe's 400 for the first parameter that is unknown, missing or wrong. */
export function readForm<T>(schema: z.ZodType<T>, given: unknown): T {
  const values = given ?? {};
  const result = schema.safeParse(values);
  if (result.success) return result.data;
  const issues = result.error.issues.flatMap((issue) => (issue.code === 'invalid_union' ? issue.errors.flat() : issue));
  const unknown = issues.find((issue) => issue.code === 'unrecognized_keys');
  const issue = unknown ?? issues[0];
  throw issue ? problem(issue, values) : invalid('Invalid request.');
}

function problem(issue: z.core.$ZodIssue, values: unknown): StripeError {
  if (issue.code === 'unrecognized_keys') {
    const param = nameOf([...issue.path, issue.keys[0] ?? '']);
    return invalid(`Received unknown parameter: ${param}`, param, 'parameter_unknown');
  }
  const param = nameOf(issue.path);
  const value = issue.path.reduce<unknown>(
    (inside, key) => (typeof inside === 'object' && inside !== null ? Reflect.get(inside, key) : undefined),
    values,
  );
  if (value === undefined) return invalid(`Missing required param: ${param}.`, param, 'parameter_missing');
  if (issue.message === 'integer') return invalid('Invalid integer.', param, 'parameter_invalid_integer');
  return invalid(`Invalid ${param}: ${issue.message}`, param);
}

/** `a[b][c]`, as it stands in the form. */
function nameOf([first = '', ...rest]: readonly PropertyKey[]): string {
  return [String(first), ...rest.map((key) => `[${String(key)}]`)].join('');
}
