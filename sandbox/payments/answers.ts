/** The answers of the card processor to money calls. */
import type { MoneyRequest, Outcome } from './facts.js';
import { type RefundStatus, refundFailure } from './refunds.js';
import { tokenUsed } from './tokens.js';

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Knows how a refund stands now. */
interface Refunds {
  refundStatus(refundId: string): RefundStatus | null;
}

/**
 * The answer to an operation, the same for the first call, repeated calls and look-ups, except that a refund is told as it
 * stands now.
 */
export function answerOf(request: MoneyRequest, outcome: Outcome, refunds: Refunds): Answer {
  const authorizationId = 'authorizationId' in outcome ? outcome.authorizationId : authorizationOf(request);
  switch (outcome.kind) {
    case 'authorized':
      return { status: 201, body: { authorizationId, status: 'authorized' } };
    case 'captured':
    case 'voided':
      return { status: 200, body: { authorizationId, status: outcome.kind } };
    case 'refunded': {
      const { refundId } = outcome;
      const now = refunds.refundStatus(refundId);
      const status = now === 'succeeded' ? 'refunded' : now;
      const failure = now === 'failed' ? { failure: refundFailure } : {};
      return { status: 201, body: { authorizationId, status, refundId, ...failure } };
    }
    case 'declined': {
      if (outcome.declineCode === tokenUsed) {
        const error = { code: tokenUsed, detail: 'a card token can be used once', declineCode: tokenUsed };
        return { status: 400, body: { authorizationId, error } };
      }
      const error = { code: 'declined', detail: 'the card was refused', declineCode: outcome.declineCode };
      return { status: 402, body: { authorizationId, error } };
    }
    case 'refused': {
      const error = { code: outcome.code, detail: `${request.kind} is not possible: ${outcome.code}` };
      return { status: 409, body: { authorizationId, error } };
    }
  }
}

function authorizationOf(request: MoneyRequest): string | null {
  return request.kind === 'authorize' ? null : request.authorizationId;
}
