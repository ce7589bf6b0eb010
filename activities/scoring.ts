/**
 * Scores the attempts at payments: by a scorer over HTTP, by our own rules, or by the higher of both. Rules count earlier
 * attempts in Postgres, in one query with the record of this one. Cards are known by an HMAC of their fingerprint.
 */
import { createHmac } from 'node:crypto';
import type { ScoredAttempt } from '../db/payments/fraud.js';
import type { FraudScorer, FraudWhenDown } from '../domain/payment-settings.js';
import type { FraudCall, FraudGateway } from '../gateways/fraud/gateway.js';
import { GatewayFault } from '../gateways/http/fault.js';
import type { CallOptions } from '../gateways/http/http.js';
import type { PaymentGateways } from '../gateways/payment/registry.js';

export interface ScoringParts {
  readonly scorer: FraudScorer;
  readonly whenDown: FraudWhenDown;
  readonly http: FraudGateway;
  readonly payments: PaymentGateways;
  /** Records an attempt and returns its score (db/payments/fraud.ts). */
  readonly record: (attempt: ScoredAttempt) => Promise<number>;
  /** The key of the HMAC, in hex; asked for once. */
  readonly cardKey: () => Promise<string>;
}

/** The scorer that the settings name. */
export function fraudScoring({ scorer, whenDown, http, payments, record, cardKey }: ScoringParts): FraudGateway {
  const byRules = scorer !== 'http';
  let key: Promise<string> | null = null;

  /** The key; a failed attempt to read it is repeated at the next call. */
  const hashKey = () => {
    key ??= cardKey().catch((error: unknown) => {
      key = null;
      throw error;
    });
    return key;
  };

  async function cardHash({ gateway = 'sandbox', token }: FraudCall, options?: CallOptions): Promise<string | null> {
    const [fingerprint, secret] = await Promise.all([payments.of(gateway).fingerprint(token, options), hashKey()]);
    if (fingerprint === null) return null;
    return createHmac('sha256', Buffer.from(secret, 'hex')).update(`${gateway}/${fingerprint}`).digest('hex');
  }

  /** Null: it is down, and the payment is small enough to go on without. A senseless answer is not down. */
  async function askOutside(call: FraudCall, options?: CallOptions): Promise<number | null> {
    try {
      return await http.score(call, options);
    } catch (error) {
      const isDown = error instanceof GatewayFault && error.fault !== 'malformed';
      if (isDown && whenDown !== 'block' && call.amount < whenDown.allowUnder) return null;
      throw error;
    }
  }

  return {
    async score(call, options) {
      const [outside, hash] = await Promise.all([
        scorer === 'rules' ? null : askOutside(call, options),
        byRules ? cardHash(call, options) : null,
      ]);
      // The scorer over HTTP counts for itself.
      if (scorer === 'http' && outside !== null) return outside;
      const { paymentId, card, customerId, amount, currency } = call;
      const unscored = scorer !== 'rules' && outside === null;
      return await record({
        paymentId,
        card,
        cardHash: hash,
        customerId,
        amount,
        currency,
        byRules,
        outside,
        unscored,
      });
    },
    close: () => http.close(),
  };
}
