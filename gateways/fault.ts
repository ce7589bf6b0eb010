/**
 * A call to the outside world that ended without an answer that means something. It is never a failure of the deed and
 * never a success: the deed may have happened, unless `fault` is `unreachable`.
 */
export class GatewayFault extends Error {
  override readonly name = 'GatewayFault';
  constructor(
    readonly gateway: string,
    /**
     * - `unreachable`: no connection could be made; nothing was sent.
     * - `no_answer`: sent, then a time-out or a broken connection.
     * - `server_error`: answered with 5xx, or with something that is not an answer.
     */
    readonly fault: 'unreachable' | 'no_answer' | 'server_error',
    detail: string,
  ) {
    super(`${gateway}: ${detail}`);
  }
}
