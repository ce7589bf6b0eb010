/**
 * All refusals of Holdfast, as one closed union. A refusal is an answer: a process returns it as a value, it crosses Temporal
 * as an ApplicationFailure whose type is the code, and reaches a client as a problem document
 * (api/middleware/problem.ts). Any other thrown error is a bug and stays visible as one.
 */

/** The HTTP status of each code, as in the public contract. */
export const refusalStatus = {
  validation_failed: 422,
  unknown_sku: 422,
  unknown_location: 422,
  unknown_supplier: 422,
  same_location: 422,
  payment_method_required: 422,
  total_mismatch: 422,
  price_not_allowed: 422,
  idempotency_key_reused: 422,
  all_operations_failed: 422,
  card_data_forbidden: 422,
  malformed_json: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  not_acceptable: 406,
  insufficient_stock: 409,
  invalid_order_state: 409,
  invalid_state: 409,
  reservation_decided: 409,
  product_not_active: 409,
  already_exists: 409,
  request_in_progress: 409,
  supplier_inactive: 409,
  supplier_not_configured: 409,
  nothing_to_order: 409,
  over_refund: 409,
  payment_disputed: 409,
  refund_pending: 409,
  payment_declined: 402,
  insufficient_funds: 402,
  fraud_suspected: 402,
  all_payment_attempts_failed: 402,
  too_large: 413,
  unsupported_media_type: 415,
  rate_limited: 429,
  customer_limit_reached: 429,
  internal: 500,
  unavailable: 503,
} as const;

export type RefusalCode = keyof typeof refusalStatus;

/** Codes that appear only in an order's `failure.code`. */
export type SupplierFailureCode = 'supplier_refused' | 'supplier_failed' | 'supplier_delayed' | 'supplier_unavailable';

/** Codes of refused payments (HTTP 402). */
export type PaymentRefusalCode =
  | 'payment_declined'
  | 'insufficient_funds'
  | 'fraud_suspected'
  | 'all_payment_attempts_failed';

/** A refusal and its reason. `extensions` are the extra members of the problem document. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly detail: string;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

export function refusal(code: RefusalCode, detail: string, extensions?: Readonly<Record<string, unknown>>): Refusal {
  return extensions === undefined ? { code, detail } : { code, detail, extensions };
}

/** Whether a value from the wire is a code of the union. */
export function isRefusalCode(code: unknown): code is RefusalCode {
  return typeof code === 'string' && Object.hasOwn(refusalStatus, code);
}
