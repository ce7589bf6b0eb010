/**
 * The client of suppliers that use the sandbox's HTTP interface (sandbox/suppliers/routes.ts is the server), each at
 * its own address.
 */
import { z } from 'zod';
import { errorOf, expectShape, providerId } from '../http/answers.js';
import { type ClientHttpOptions, createClientHttp } from '../http/client-addresses.js';
import { type CallOptions, type HttpAnswer, type HttpCall, unexpectedAnswer } from '../http/http.js';
import type { SupplierCall, SupplierGateway } from './gateway.js';

const name = 'supplier';

const reservation = z.object({ accepted: z.boolean(), ref: providerId });
const reservationStatus = z.object({ status: z.enum(['ok', 'fail', 'delayed']) });
const availability = z.object({ available: z.boolean(), quantity: z.int().min(0) });
const order = z.object({
  id: providerId,
  status: z.enum(['ordered', 'shipped', 'delivered', 'cancelled']),
});

export interface SupplierOptions extends ClientHttpOptions {
  /** For suppliers without a `url` of their own. Without a trailing slash. */
  readonly baseUrl: string;
}

/** Connects lazily and keeps connections to recently called suppliers. */
export function createHttpSuppliers({ baseUrl, ...options }: SupplierOptions): SupplierGateway {
  const http = createClientHttp(name, options);

  const call = (to: SupplierCall, request: HttpCall, callOptions?: CallOptions): Promise<HttpAnswer> =>
    http.call(to.url ?? baseUrl, request, callOptions);

  return {
    async reserve({ url, idempotencyKey, sku, quantity }, callOptions) {
      const body = { sku, quantity, idempotencyKey };
      const answer = await call({ url }, { method: 'POST', path: '/supplier/reserve', body }, callOptions);
      return expectShape(name, reservation, bodyOf('reserve', answer, 200, 201));
    },
    async findReservation({ url, idempotencyKey }, callOptions) {
      const path = `/supplier/reserve?idempotencyKey=${encodeURIComponent(idempotencyKey)}`;
      const answer = await call({ url }, { method: 'GET', path }, callOptions);
      if (isUnknown(answer)) return null;
      return expectShape(name, reservation, bodyOf('the look-up of a reservation', answer, 200));
    },
    async reservationStatus({ url, ref }, callOptions) {
      const path = `/supplier/reserve/${encodeURIComponent(ref)}`;
      const answer = await call({ url }, { method: 'GET', path }, callOptions);
      return expectShape(name, reservationStatus, bodyOf('the status of a reservation', answer, 200)).status;
    },
    async cancelReservation({ url, refOrKey }, callOptions) {
      const path = `/supplier/reserve/${encodeURIComponent(refOrKey)}`;
      const answer = await call({ url }, { method: 'DELETE', path }, callOptions);
      if (!isUnknown(answer)) bodyOf('cancelling a reservation', answer, 200);
    },
    async availability({ url, sku, quantity }, callOptions) {
      const body = { sku, quantity };
      const answer = await call({ url }, { method: 'POST', path: '/supplier/availability', body }, callOptions);
      return expectShape(name, availability, bodyOf('availability', answer, 200));
    },
    async placeOrder({ url, idempotencyKey, sku, quantity, unitPrice }, callOptions) {
      const body = { sku, quantity, unitPrice, idempotencyKey };
      const answer = await call({ url }, { method: 'POST', path: '/supplier/orders', body }, callOptions);
      return expectShape(name, order, bodyOf('an order', answer, 200, 201));
    },
    async findOrder({ url, idempotencyKey }, callOptions) {
      const path = `/supplier/orders?idempotencyKey=${encodeURIComponent(idempotencyKey)}`;
      const answer = await call({ url }, { method: 'GET', path }, callOptions);
      return isUnknown(answer) ? null : expectShape(name, order, bodyOf('the look-up of an order', answer, 200));
    },
    async orderStatus({ url, supplierOrderId }, callOptions) {
      const path = `/supplier/orders/${encodeURIComponent(supplierOrderId)}`;
      const answer = await call({ url }, { method: 'GET', path }, callOptions);
      return expectShape(name, order, bodyOf('the status of an order', answer, 200)).status;
    },
    async cancelOrder({ url, supplierOrderId }, callOptions) {
      const path = `/supplier/orders/${encodeURIComponent(supplierOrderId)}`;
      const answer = await call({ url }, { method: 'DELETE', path }, callOptions);
      if (answer.status === 409 && errorOf(name, answer.body)?.code === 'already_delivered') return 'too_late';
      if (!isUnknown(answer)) bodyOf('cancelling an order', answer, 200);
      return 'cancelled';
    },
    close: () => http.close(),
  };
}

/** A 404 means "never seen" only if the supplier sent it: a misconfigured proxy also answers 404. */
function isUnknown(answer: HttpAnswer): boolean {
  return answer.status === 404 && errorOf(name, answer.body)?.code === 'unknown';
}

function bodyOf(what: string, answer: HttpAnswer, ...expected: number[]): unknown {
  if (!expected.includes(answer.status)) throw unexpectedAnswer(name, what, answer);
  return answer.body;
}
