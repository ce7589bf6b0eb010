/** The client of the sandbox's card processor (sandbox/payments/routes.ts is the server). */
import { z } from 'zod';
import type { AuthorizeAnswer, CaptureAnswer, CardRefusal } from '../../domain/payments/answers.js';
import type { RefundAnswer } from '../../domain/payments/refunds.js';
import { errorOf, expectShape, providerId } from '../http/answers.js';
import {
  type CallOptions,
  createHttpGateway,
  type HttpAnswer,
  type HttpGatewayOptions,
  unexpectedAnswer,
} from '../http/http.js';
import type { PaymentGateway, VoidAnswer } from './gateway.js';

const name = 'payment';

const authorized = z.object({ authorizationId: providerId, status: z.literal('authorized') });
const captured = z.object({ status: z.literal('captured') });
const voided = z.object({ status: z.literal('voided') });
const refunded = z.object({
  status: z.enum(['refunded', 'pending', 'failed']),
  refundId: providerId,
  failure: providerId.nullish(),
});
const operation = z.object({ kind: providerId, answer: z.object({ status: z.int(), body: z.unknown() }) });
const books = z.object({
  authorizationId: providerId,
  status: z.enum(['authorized', 'captured', 'voided', 'declined']),
  amount: z.int(),
  captured: z.int(),
  refunded: z.int(),
  voided: z.boolean(),
});

/** Connects lazily and keeps connections open. `timeoutMs` applies to calls without their own time-out. */
export function createSandboxPayments(options: HttpGatewayOptions): PaymentGateway {
  const http = createHttpGateway(name, options);

  const post = (path: string, idempotencyKey: string, body: Record<string, unknown>, callOptions?: CallOptions) =>
    http.call({ method: 'POST', path: `/payments/${path}`, body, idempotencyKey }, callOptions);

  const find = async (kind: string, idempotencyKey: string, callOptions?: CallOptions): Promise<HttpAnswer | null> => {
    const path = `/payments/operations?idempotencyKey=${encodeURIComponent(idempotencyKey)}`;
    const answer = await http.call({ method: 'GET', path }, callOptions);
    const code = errorOf(name, answer.body)?.code;
    // A 404 means "never seen" only if the processor sent it: a misconfigured proxy also answers 404.
    if (answer.status === 404 && code === 'unknown_operation') return null;
    // A repeated call waits for the one in progress and gets its answer.
    if (answer.status === 409 && code === 'in_progress') return null;
    if (answer.status !== 200) throw unexpectedAnswer(name, `the look-up of ${kind}`, answer);
    const found = expectShape(name, operation, answer.body);
    if (found.kind !== kind)
      throw new Error(`${name}: the key of a ${kind} belongs to another operation, ${found.kind}`);
    return found.answer;
  };

  return {
    async authorize({ idempotencyKey, ...body }, callOptions) {
      return readAuthorize(await post('authorize', idempotencyKey, { ...body }, callOptions));
    },
    async capture({ idempotencyKey, authorizationId, amount }, callOptions) {
      return readCapture(await post(`${segment(authorizationId)}/capture`, idempotencyKey, { amount }, callOptions));
    },
    async void({ idempotencyKey, authorizationId }, callOptions) {
      return readVoid(await post(`${segment(authorizationId)}/void`, idempotencyKey, {}, callOptions));
    },
    async refund({ idempotencyKey, authorizationId, amount }, callOptions) {
      return readRefund(await post(`${segment(authorizationId)}/refund`, idempotencyKey, { amount }, callOptions));
    },
    async findAuthorization(idempotencyKey, callOptions) {
      const answer = await find('authorize', idempotencyKey, callOptions);
      return answer && readAuthorize(answer);
    },
    async findCapture(idempotencyKey, callOptions) {
      const answer = await find('capture', idempotencyKey, callOptions);
      return answer && readCapture(answer);
    },
    async findRefund({ idempotencyKey }, callOptions) {
      const answer = await find('refund', idempotencyKey, callOptions);
      return answer && readRefund(answer);
    },
    async books(authorizationId, callOptions) {
      const answer = await http.call({ method: 'GET', path: `/payments/${segment(authorizationId)}` }, callOptions);
      if (answer.status === 404 && errorOf(name, answer.body)?.code === 'unknown_authorization') return null;
      if (answer.status !== 200) throw unexpectedAnswer(name, 'the look-up of an authorization', answer);
      return expectShape(name, books, answer.body);
    },
    close: () => http.close(),
  };
}

const segment = encodeURIComponent;

function readAuthorize(answer: HttpAnswer): AuthorizeAnswer {
  const refusal = readRefusal(answer);
  if (refusal) return refusal;
  if (answer.status !== 201) throw unexpectedAnswer(name, 'authorize', answer);
  return { kind: 'authorized', authorizationId: expectShape(name, authorized, answer.body).authorizationId };
}

function readCapture(answer: HttpAnswer): CaptureAnswer {
  const refusal = readRefusal(answer);
  if (refusal) return refusal;
  // Voided before the capture arrived: nothing was captured, and nothing can be.
  if (answer.status === 409 && errorOf(name, answer.body)?.code === 'already_voided')
    return { kind: 'declined', code: 'payment_declined', declineCode: 'authorization_voided' };
  if (answer.status !== 200) throw unexpectedAnswer(name, 'capture', answer);
  expectShape(name, captured, answer.body);
  return { kind: 'captured' };
}

function readVoid(answer: HttpAnswer): VoidAnswer {
  if (answer.status === 409 && errorOf(name, answer.body)?.code === 'already_captured') return { kind: 'captured' };
  if (answer.status !== 200) throw unexpectedAnswer(name, 'void', answer);
  expectShape(name, voided, answer.body);
  return { kind: 'voided' };
}

function readRefund(answer: HttpAnswer): RefundAnswer {
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
  const detail = 'the processor could not return the money';
  return { kind: 'failed', providerReference, code: failure ?? 'refund_failed', detail };
}

function readRefusal(answer: HttpAnswer): CardRefusal | null {
  const error = errorOf(name, answer.body);
  if (answer.status !== 402 || error?.code !== 'declined' || error.declineCode === undefined) return null;
  const code = error.declineCode === 'insufficient_funds' ? 'insufficient_funds' : 'payment_declined';
  return { kind: 'declined', code, declineCode: error.declineCode };
}
