import { describe, expect, it } from 'vitest';
import type { CallOptions } from '../../http/http.js';
import type { ScriptedAnswer } from '../tap.fixture.js';
import {
  authorized,
  cardToStore,
  memoryCustomer,
  memoryIds,
  operationOn,
  refundOf,
  requestsOf,
  type Suite,
} from './provider.fixture.js';

const page = '<html><body>502 Bad Gateway</body></html>';

/** Answers that decide nothing, whatever was asked, and the fault that each is. */
const undecided: readonly (readonly [what: string, answer: ScriptedAnswer, fault: string])[] = [
  ['nothing at all', 'nothing', 'no_answer'],
  ['a byte now and then', 'drip', 'no_answer'],
  ['an error of the server', { status: 500, body: '{"error":{"code":"internal","detail":"failed"}}' }, 'server_error'],
  ['a busy server', { status: 503, body: '{}' }, 'server_error'],
  ['too many requests', { status: 429, body: '{"error":{"code":"rate_limit","detail":"slow down"}}' }, 'server_error'],
  ['the page of a proxy', { status: 200, body: page }, 'malformed'],
  ['the error page of a proxy', { status: 404, body: page }, 'malformed'],
  ['half an answer', { status: 200, body: '{"id":"pi_1","object":"payment_in' }, 'malformed'],
  ['an answer of 300 KB', { status: 200, body: `{"padding":"${'x'.repeat(300_000)}"}` }, 'malformed'],
];

/** Answers that are lost, late or make no sense. */
export function testFaults(suite: Suite): void {
  const { good } = suite.provider.tokens;
  const card = operationOn(good);
  const refund = refundOf(card, 'unknown_1', 100);
  const knowing = { known: 'unknown_1', remember: async () => undefined };

  /** Each call of the gateway that sends a request. */
  const calls: readonly (readonly [what: string, call: (options: CallOptions) => Promise<unknown> | undefined])[] = [
    ['authorize', (options) => suite.gateway.authorize(card, knowing, options)],
    ['findAuthorization', (options) => suite.gateway.findAuthorization(card, 'unknown_1', options)],
    ['capture', (options) => suite.gateway.capture(card, 'unknown_1', options)],
    ['findCapture', (options) => suite.gateway.findCapture(card, 'unknown_1', options)],
    ['void', (options) => suite.gateway.void(card, 'unknown_1', options)],
    ...(suite.provider.cancels
      ? ([['cancel', (options: CallOptions) => suite.gateway.cancel?.(card, 'unknown_1', options)]] as const)
      : []),
    ['undoCapture', (options) => suite.gateway.undoCapture(card, 'unknown_1', 100, options)],
    ['refund', (options) => suite.gateway.refund(refund, options)],
    ['findRefund', (options) => suite.gateway.findRefund(refund, options)],
    ['storeCard', (options) => suite.gateway.storeCard(cardToStore(good), memoryCustomer(), options)],
    ['read', (options) => suite.gateway.read('unknown_1', options)],
    ['changes', (options) => suite.gateway.changes({ since: new Date().toISOString(), cursor: null }, options)],
    [
      'list',
      (options) =>
        suite.gateway.list({ from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z', cursor: null }, options),
    ],
  ];

  describe.each(undecided)('%s is in doubt, and asked once, for', (_what, answer, fault) => {
    it.each(calls)('%s', async (_name, call) => {
      const { tap } = suite;
      tap.answerWith(answer);
      try {
        let error: unknown;
        const requests = await requestsOf(suite, async () => {
          error = await call({ timeoutMs: 200 })?.then(
            () => null,
            (thrown: unknown) => thrown,
          );
        });
        expect(error).toMatchObject({ name: 'GatewayFault', fault });
        expect(requests).toBe(1);
      } finally {
        tap.answerWith(null);
      }
    });
  });

  it('JSON of another shape decides nothing', async () => {
    const { gateway, tap } = suite;
    for (const status of [200, 201, 400]) {
      tap.answerWith({ status, body: '{"message":"hello"}' });
      for (const [, call] of calls) await expect(call({})).rejects.toThrow();
      await expect(gateway.authorize(operationOn(good), memoryIds())).rejects.toThrow();
    }
    tap.answerWith(null);
  });

  it('a client error of the processor is final, with its code', async () => {
    const { gateway, tap, provider } = suite;
    const { code, ...answer } = provider.finalError;
    tap.answerWith(answer);
    expect(await gateway.authorize(operationOn(good), memoryIds())).toEqual({
      ...{ kind: 'declined', code: 'payment_declined', declineCode: code },
    });
    tap.answerWith(null);
  });

  it('after its faults the processor is asked again', async () => {
    expect(await authorized(suite, operationOn(good))).toEqual(expect.any(String));
  });

  it('an error shows no token and no secret', async () => {
    const { gateway, tap } = suite;
    const secrets = { status: 404, body: `{"error":{"code":"unknown","detail":"${good} pi_1_secret_2 not found"}}` };
    tap.answerWith(secrets);
    const error = await gateway.capture(operationOn(good), 'unknown_1').catch((reason: unknown) => reason);
    tap.answerWith(null);
    expect(error).toBeInstanceOf(Error);
    expect(String(error)).not.toContain(good);
    expect(String(error)).not.toContain('secret_2');
  });
}
