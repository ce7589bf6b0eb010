/** The client of the sandbox's card processor (sandbox/payments/routes.ts is the server). */
import type { AuthorizeAnswer, CaptureAnswer, CardRefusal } from '../../domain/payments/answers.js';
import { errorOf, expectShape } from '../http/answers.js';
import { GatewayFault } from '../http/fault.js';
import {
  type CallOptions,
  createHttpGateway,
  type HttpAnswer,
  type HttpGatewayOptions,
  unexpectedAnswer,
} from '../http/http.js';
import type {
  OperationKey,
  PaymentGateway,
  RefundCall,
  StoreCardAnswer,
  UndoCaptureAnswer,
  VoidAnswer,
} from './gateway.js';
import { readBooks, readChanges, readPage } from './sandbox-books.js';
import { readRefund } from './sandbox-refunds.js';
import { authorized, captured, operationFound, refunded, storedCard, voided } from './sandbox-shapes.js';

const name = 'payment';

/** Errors that a repeated call gets again: the processor has rejected the request itself, and nothing happened. */
const finalErrors: ReadonlySet<string> = new Set(['validation_failed', 'amount_too_small', 'token_used']);

/** Connects lazily and keeps connections open. `timeoutMs` applies to calls without their own time-out. */
export function createSandboxPayments(options: HttpGatewayOptions): PaymentGateway {
  const http = createHttpGateway(name, options);

  const post = (path: string, idempotencyKey: string, body: Record<string, unknown>, callOptions?: CallOptions) =>
    http.call({ method: 'POST', path: `/payments/${path}`, body, idempotencyKey }, callOptions);
  const get = (path: string, callOptions?: CallOptions) => http.call({ method: 'GET', path }, callOptions);

  const find = async (kind: string, idempotencyKey: string, callOptions?: CallOptions): Promise<HttpAnswer | null> => {
    const answer = await get(`/payments/operations?idempotencyKey=${encodeURIComponent(idempotencyKey)}`, callOptions);
    const code = errorOf(name, answer.body)?.code;
    // A 404 means "never seen" only if the processor sent it: a misconfigured proxy also answers 404.
    if (answer.status === 404 && code === 'unknown_operation') return null;
    // A repeated call waits for the one in progress and gets its answer.
    if (answer.status === 409 && code === 'in_progress') return null;
    if (answer.status !== 200) throw unexpectedAnswer(name, `the look-up of ${kind}`, answer);
    const found = expectShape(name, operationFound, answer.body);
    if (found.kind !== kind)
      throw new Error(`${name}: the key of a ${kind} belongs to another operation, ${found.kind}`);
    return found.answer;
  };

  return {
    name: 'sandbox',
    storesIds: false,
    // Each token of the sandbox is a card of its own.
    fingerprint: (token) => Promise.resolve(token),
    async authorize(operation, _ids, callOptions) {
      const { token, amount, currency, reference } = operation;
      const body = { token, amount, currency, reference };
      return readAuthorize(await post('authorize', keyOf(operation, 'authorize'), body, callOptions));
    },
    async findAuthorization(operation, _known, callOptions) {
      const answer = await find('authorize', keyOf(operation, 'authorize'), callOptions);
      return answer && readAuthorize(answer);
    },
    async capture(operation, authorizationId, callOptions) {
      const body = { amount: operation.amount };
      const path = `${segment(authorizationId)}/capture`;
      return readCapture(await post(path, keyOf(operation, 'capture'), body, callOptions));
    },
    async findCapture(operation, _authorizationId, callOptions) {
      const answer = await find('capture', keyOf(operation, 'capture'), callOptions);
      return answer && readCapture(answer);
    },
    async void(operation, authorizationId, callOptions) {
      return readVoid(await post(`${segment(authorizationId)}/void`, keyOf(operation, 'void'), {}, callOptions));
    },
    async undoCapture(operation, authorizationId, amount, callOptions) {
      const path = `${segment(authorizationId)}/refund`;
      return readUndo(await post(path, keyOf(operation, 'refund'), { amount }, callOptions));
    },
    async refund(call, callOptions) {
      const path = `${segment(call.authorizationId)}/refund`;
      return readRefund(name, await post(path, refundKey(call), { amount: call.amount }, callOptions));
    },
    async findRefund(call, callOptions) {
      const answer = await find('refund', refundKey(call), callOptions);
      return answer && readRefund(name, answer);
    },
    // Its tokens can be charged again as they are: only whether this one is any good is asked.
    async storeCard({ token }, _ids, callOptions) {
      const call = { method: 'POST', path: '/payments/cards', body: { token } } as const;
      return readStored(token, await http.call(call, callOptions));
    },
    async read(authorizationId, callOptions) {
      const answer = await get(`/payments/${segment(authorizationId)}`, callOptions);
      if (answer.status === 404 && errorOf(name, answer.body)?.code === 'unknown_authorization') return null;
      if (answer.status !== 200) throw unexpectedAnswer(name, 'the look-up of an authorization', answer);
      return readBooks(name, answer.body);
    },
    async changes({ since, cursor, short = false }, callOptions) {
      const limit = short ? '5' : '100';
      const query = new URLSearchParams({ from: since, limit, ...(cursor !== null && { cursor }) });
      const answer = await get(`/payments?${query}`, callOptions);
      if (answer.status !== 200) throw unexpectedAnswer(name, 'the list of changes', answer);
      return readChanges(name, answer.body);
    },
    async list({ from, to, cursor, short = false }, callOptions) {
      const limit = short ? '5' : '100';
      const query = new URLSearchParams({ from, to, limit, ...(cursor !== null && { cursor }) });
      const answer = await get(`/payments?${query}`, callOptions);
      if (answer.status !== 200) throw unexpectedAnswer(name, 'the list of payments', answer);
      return readPage(name, answer.body);
    },
    close: () => http.close(),
  };
}

const segment = encodeURIComponent;

function keyOf({ paymentId, card }: OperationKey, kind: 'authorize' | 'capture' | 'void' | 'refund'): string {
  return `${paymentId}/${card}/${kind}`;
}

function readAuthorize(answer: HttpAnswer): AuthorizeAnswer {
  const refusal = readRefusal(answer);
  if (refusal) return refusal;
  if (answer.status !== 201) throw unexpectedAnswer(name, 'authorize', answer);
  return { kind: 'authorized', authorizationId: expectShape(name, authorized, answer.body).authorizationId };
}

function readCapture(answer: HttpAnswer): CaptureAnswer {
  const refusal = readRefusal(answer);
  if (refusal) return refusal;
  const code = answer.status === 409 ? errorOf(name, answer.body)?.code : undefined;
  // Voided before the capture arrived: nothing was captured, and nothing can be.
  if (code === 'already_voided')
    return { kind: 'declined', code: 'payment_declined', declineCode: 'authorization_voided' };
  // By hand, in the processor's own pages: it captures in full only.
  if (code === 'already_captured') return { kind: 'captured' };
  if (answer.status !== 200) throw unexpectedAnswer(name, 'capture', answer);
  expectShape(name, captured, answer.body);
  return { kind: 'captured' };
}

function readStored(token: string, answer: HttpAnswer): StoreCardAnswer {
  const refusal = readRefusal(answer);
  if (refusal) return refusal;
  if (answer.status !== 200) throw unexpectedAnswer(name, 'storing a card', answer);
  expectShape(name, storedCard, answer.body);
  return { kind: 'stored', card: { token, customer: null } };
}

function readVoid(answer: HttpAnswer): VoidAnswer {
  if (answer.status === 409 && errorOf(name, answer.body)?.code === 'already_captured') return { kind: 'captured' };
  if (answer.status !== 200) throw unexpectedAnswer(name, 'void', answer);
  expectShape(name, voided, answer.body);
  return { kind: 'voided' };
}

function readUndo(answer: HttpAnswer): UndoCaptureAnswer {
  if (answer.status === 409 && errorOf(name, answer.body)?.code === 'over_refund') return { kind: 'over_refund' };
  if (answer.status !== 201) throw unexpectedAnswer(name, 'refund', answer);
  const { status } = expectShape(name, refunded, answer.body);
  if (status === 'failed') throw new GatewayFault(name, 'server_error', 'the money of a charge did not go back');
  return { kind: 'returned' };
}

/** The refusal of a card or of the request itself; null if the answer is neither. */
function readRefusal({ status, body }: HttpAnswer): CardRefusal | null {
  const error = errorOf(name, body);
  if (error === null) return null;
  if (status === 402 && error.code === 'declined' && error.declineCode !== undefined)
    return refusedAs(error.declineCode);
  return (status === 400 || status === 422) && finalErrors.has(error.code) ? refusedAs(error.code) : null;
}

function refusedAs(declineCode: string): CardRefusal {
  const code = declineCode === 'insufficient_funds' ? 'insufficient_funds' : 'payment_declined';
  return { kind: 'declined', code, declineCode };
}

/** Each attempt is an operation of its own: a known key gets its first answer. */
function refundKey({ refundId, attempt }: RefundCall): string {
  return `${refundId}/${attempt}`;
}
