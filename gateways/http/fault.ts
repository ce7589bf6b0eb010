import { holdsCardNumber } from '../../domain/cards/numbers.js';
import { withoutTokens } from '../../domain/payments/tokens.js';
import type { Fault } from '../../domain/retry.js';

/**
 * A call to another system that ended without a meaningful answer. The operation has neither failed nor succeeded: it may
 * have happened, unless `fault` is `unreachable`. The message is for operators: it may quote a little of what the other
 * system said, but never a card token or a card number.
 */
export class GatewayFault extends Error {
  override readonly name = 'GatewayFault';
  constructor(
    readonly gateway: string,
    /**
     * - `unreachable`: no connection could be made; nothing was sent.
     * - `no_answer`: the call was sent, then timed out or lost its connection.
     * - `server_error`: the server answered 5xx, or asked to retry later.
     * - `malformed`: the answer is not valid.
     */
    readonly fault: Fault,
    detail: string,
  ) {
    super(`${gateway}: ${presentable(detail)}`);
  }
}

const maxDetailLength = 500;

/** Text from another system or a library as one line of bounded length, safe for logs and columns. */
export function presentable(text: string): string {
  const line = withoutTokens(text.slice(0, maxDetailLength).replace(/[\p{Cc}\p{Surrogate}]+/gu, ' '));
  return holdsCardNumber(line) ? 'a text that contained what looks like a card number' : line;
}
