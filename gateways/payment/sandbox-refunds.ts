/** The sandbox processor's answers to refunds. */
import type { RefundAnswer } from '../../domain/payments/refunds.js';
import { errorOf, expectShape } from '../http/answers.js';
import { type HttpAnswer, unexpectedAnswer } from '../http/http.js';
import { refunded } from './sandbox-shapes.js';

export function readRefund(name: string, answer: HttpAnswer): RefundAnswer {
  if (answer.status === 409) {
    const error = errorOf(name, answer.body);
    if (error?.code === 'over_refund') return { kind: 'over_refund' };
    if (error?.code === 'disputed') return { kind: 'disputed' };
    if (error?.code === 'not_captured')
      return { kind: 'failed', providerReference: null, code: error.code, detail: 'the payment was not captured' };
  }
  if (answer.status !== 200 && answer.status !== 201) throw unexpectedAnswer(name, 'refund', answer);
  const { status, refundId: providerReference, failure } = expectShape(name, refunded, answer.body);
  if (status !== 'failed') return { kind: status === 'pending' ? 'pending' : 'succeeded', providerReference };
  const { code = 'refund_failed', detail = 'the processor could not return the money' } = failure ?? {};
  return { kind: 'failed', providerReference, code, detail };
}
