/** Stripe's error objects: `{ error: { type, code, decline_code, message, param, payment_intent } }`. */

interface StripeErrorBody {
  readonly type: 'api_error' | 'card_error' | 'idempotency_error' | 'invalid_request_error';
  readonly message: string;
  readonly code?: string;
  readonly decline_code?: string;
  readonly advice_code?: string;
  readonly param?: string;
  readonly charge?: string;
  readonly payment_intent?: unknown;
}

/** An answer other than 200. */
export class StripeError extends Error {
  constructor(
    readonly status: number,
    readonly body: StripeErrorBody,
    /** Whether its idempotency key repeats it. Not if nothing was decided. */
    readonly kept: boolean,
    /** The header Stripe-Should-Retry. */
    readonly shouldRetry = false,
  ) {
    super(body.message);
  }
}

/** The call gets no answer. What it did, if anything, is in the books. */
export class NoAnswer extends Error {
  /** @param how `timeout`: it is held open; `lost`: the connection breaks */
  constructor(readonly how: 'timeout' | 'lost') {
    super(`no answer: ${how}`);
  }
}

/** The call is wrong and nothing was begun. */
export function invalid(message: string, param?: string, code?: string): StripeError {
  return new StripeError(
    400,
    { type: 'invalid_request_error', message, ...(code && { code }), ...(param && { param }) },
    false,
  );
}

/** The state of the object does not allow it. Its key repeats that. */
export function refused(code: string, message: string, more: { param?: string; payment_intent?: unknown } = {}) {
  return new StripeError(400, { type: 'invalid_request_error', code, message, ...more }, true);
}

export function missing(what: string, id: string, param = 'id'): StripeError {
  const message = `No such ${what}: '${id}'`;
  return new StripeError(404, { type: 'invalid_request_error', code: 'resource_missing', message, param }, false);
}

export function keyInUse(): StripeError {
  const message = 'There is currently another in-progress request using this Idempotency Key. Please try again later.';
  return new StripeError(409, { type: 'invalid_request_error', code: 'idempotency_key_in_use', message }, false, true);
}

export function otherParameters(key: string): StripeError {
  const message = `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`;
  return new StripeError(400, { type: 'idempotency_error', message }, false);
}

/** Nothing was done. */
export function busy(): StripeError {
  return new StripeError(503, { type: 'api_error', message: 'The service is busy; nothing was done.' }, false, true);
}

/** Execution began and failed: the key repeats it for ever. */
export function failed(): StripeError {
  return new StripeError(500, { type: 'api_error', message: 'An unknown error occurred.' }, true);
}

const declines: Readonly<
  Record<string, { readonly code?: string; readonly message: string; readonly advice: string }>
> = {
  insufficient_funds: { message: 'Your card has insufficient funds.', advice: 'try_again_later' },
  generic_decline: { message: 'Your card was declined.', advice: 'try_again_later' },
  lost_card: { message: 'Your card was declined.', advice: 'do_not_try_again' },
  stolen_card: { message: 'Your card was declined.', advice: 'do_not_try_again' },
  expired_card: { code: 'expired_card', message: 'Your card has expired.', advice: 'do_not_try_again' },
  authentication_required: {
    code: 'authentication_required',
    message: 'Your card was declined. This transaction requires authentication.',
    advice: 'confirm_card_data',
  },
};

/** The part of a decline that is the same in the answer and in `last_payment_error`. */
export function declineOf(declineCode: string) {
  const {
    code = 'card_declined',
    message,
    advice,
  } = declines[declineCode] ?? {
    message: 'Your card was declined.',
    advice: 'try_again_later',
  };
  return { type: 'card_error' as const, code, decline_code: declineCode, advice_code: advice, message };
}

/** @param intent the PaymentIntent as it is now */
export function declined(declineCode: string, charge: string, intent: unknown): StripeError {
  return new StripeError(402, { ...declineOf(declineCode), charge, payment_intent: intent }, true);
}
