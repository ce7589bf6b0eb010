import { holdsCardNumber } from '../../domain/cards/numbers.js';
import type { Fault } from '../../domain/retry.js';

/**
 * A call to the outside world that ended without an answer that means something. It is never a failure of the deed and
 * never a success: the deed may have happened, unless `fault` is `unreachable`. Its message is for operators: it may
 * repeat a little of what the other system said, and never a card token or a card number.
 */
export class GatewayFault extends Error {
  override readonly name = 'GatewayFault';
  constructor(
    readonly gateway: string,
    /**
     * - `unreachable`: no connection could be made; nothing was sent.
     * - `no_answer`: sent, then a time-out or a broken connection.
     * - `server_error`: answered with 5xx, or asked to come later.
     * - `malformed`: answered with something that is not an answer.
     */
    readonly fault: Fault,
    detail: string,
  ) {
    super(`${gateway}: ${presentable(detail)}`);
  }
}

const maxDetailLength = 500;

/** What another system or a library said, on one line of bounded length that any log and any column can keep. */
export function presentable(text: string): string {
  const line = text
    .slice(0, maxDetailLength)
    .replace(/[\p{Cc}\p{Surrogate}]+/gu, ' ')
    .replace(/tok_\w+/g, 'tok_…');
  return holdsCardNumber(line) ? 'a text that held what looks like a card number' : line;
}
