/** Stripe's wire, under /stripe: form bodies, bearer keys, Stripe's errors. Other parameters than these are refused. */
import { setTimeout as sleep } from 'node:timers/promises';
import express, { type ErrorRequestHandler, type Request, type RequestHandler, type Response } from 'express';
import type { z } from 'zod';
import { NotWritten } from '../journal.js';
import { report } from '../report.js';
import { type Act, Calls } from './calls.js';
import { busy, invalid, missing, NoAnswer, StripeError } from './errors.js';
import { expanded } from './expand.js';
import type { CallFaults } from './faults.js';
import { checkToken } from './intent-methods.js';
import { cancel, capture, confirmIntentOf, create } from './intents.js';
import { type Execution, type Ledger, newId } from './ledger.js';
import { pageOf } from './lists.js';
import { attachMethodTo, createCustomerOf, findMethod, testMethod } from './methods.js';
import * as parameters from './parameters.js';
import { closeDispute, refund } from './reversals.js';
import {
  apiVersion,
  chargeView,
  customerView,
  disputeView,
  eventView,
  intentView,
  type Json,
  methodView,
  refundView,
  tokenView,
} from './views.js';

const maxBodyBytes = 256 * 1024;
/** How long a call that times out is held open, unless its client disconnects first. */
const maxHoldMs = 60_000;

/** What a call asks for, and does. `id` is the one in the path. */
type Deed<T> = (execution: Execution, params: T, id: string) => Promise<Json>;
type Look<T> = (params: T, id: string) => Json;

export function stripeApp(ledger: Ledger, faults: CallFaults): express.Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'extended');
  const calls = new Calls(ledger, faults);
  app.use(head, express.urlencoded({ extended: true, limit: maxBodyBytes, parameterLimit: 1000 }), onlyForms);

  const act = <T extends { expand?: string[] | undefined }>(path: string, schema: z.ZodType<T>, deed: Deed<T>) =>
    app.post(path, async (req, res) => {
      const params = parameters.readForm(schema, req.body);
      const perform: Act = async (execution) =>
        expanded(ledger.payments, await deed(execution, params, idOf(req)), params.expand);
      const { status, body, original } = await calls.answer(req, String(res.get('request-id')), perform);
      if (original !== null) res.set({ 'idempotent-replayed': 'true', 'original-request': original });
      if (status !== 200) res.set('stripe-should-retry', 'false');
      res.status(status).json(body);
    });
  const look = <T extends { expand?: string[] | undefined }>(path: string, schema: z.ZodType<T>, read: Look<T>) =>
    app.get(path, async (req, res) => {
      const params = parameters.readForm(schema, req.query);
      const body = expanded(ledger.payments, read(params, idOf(req)), params.expand);
      await ledger.settled();
      res.json(body);
    });

  intentRoutes(ledger, act, look);
  reversalRoutes(ledger, act, look);
  methodRoutes(ledger, act, look);
  look('/v1/events', parameters.listEvents, (params) => {
    const { type, types = type === undefined ? undefined : [type] } = params;
    const events = [...ledger.asked.events.values()].filter(
      ({ name, send, outcome }) =>
        (types === undefined || types.some((asked) => fits(name, asked))) &&
        (params.delivery_success === undefined || params.delivery_success === (!send || outcome === 'delivered')),
    );
    return pageOf(events, params, '/v1/events', eventView);
  });
  look('/v1/events/:id', parameters.nothingMore, (_, id) => eventView(found(ledger.asked.events.get(id), 'event', id)));

  app.use((req, _res, next) => {
    const message = `Unrecognized request URL (${req.method}: ${req.path}).`;
    next(new StripeError(404, { type: 'invalid_request_error', message }, false));
  });
  app.use(onError);
  return app;
}

type Acting = <T extends { expand?: string[] | undefined }>(path: string, schema: z.ZodType<T>, deed: Deed<T>) => void;
type Looking = <T extends { expand?: string[] | undefined }>(path: string, schema: z.ZodType<T>, read: Look<T>) => void;

function intentRoutes(ledger: Ledger, act: Acting, look: Looking): void {
  act('/v1/payment_intents', parameters.createIntent, (execution, params) => create(ledger, execution, params));
  act('/v1/payment_intents/:id/confirm', parameters.confirmIntent, (execution, params, id) =>
    confirmIntentOf(ledger, execution, id, params),
  );
  act('/v1/payment_intents/:id/capture', parameters.captureIntent, (execution, params, id) =>
    capture(ledger, execution, id, params),
  );
  act('/v1/payment_intents/:id/cancel', parameters.cancelIntent, (execution, params, id) =>
    cancel(ledger, execution, id, params),
  );
  look('/v1/payment_intents/:id', parameters.retrieveIntent, (_, id) =>
    intentView(ledger.payments, found(ledger.payments.intent(id), 'payment_intent', id, 'intent')),
  );
  look('/v1/payment_intents', parameters.listIntents, (params) => {
    const { payments } = ledger;
    const { customer } = params;
    const intents = payments
      .intents()
      .filter((intent) => customer === undefined || intent.customer === customer)
      .map((intent) => ({ id: intent.id, at: intent.createdAt, intent }));
    return pageOf(intents, params, '/v1/payment_intents', ({ intent }) => intentView(payments, intent));
  });
  look('/v1/charges/:id', parameters.nothingMore, (_, id) =>
    chargeView(ledger.payments, found(ledger.payments.authorizationOfCharge(id), 'charge', id)),
  );
}

function reversalRoutes(ledger: Ledger, act: Acting, look: Looking): void {
  act('/v1/refunds', parameters.createRefund, (execution, params) => refund(ledger, execution, params));
  look('/v1/refunds/:id', parameters.nothingMore, (_, id) =>
    refundView(ledger.payments, found(ledger.processor.books.refund(id), 'refund', id)),
  );
  look('/v1/refunds', parameters.listRefunds, (params) => {
    const refunds = ledger.payments
      .charged(params)
      .flatMap((authorization) => authorization.refunds)
      .map((made) => ({ id: made.refundId, at: made.at, made }))
      .sort((one, other) => one.at - other.at);
    return pageOf(refunds, params, '/v1/refunds', ({ made }) => refundView(ledger.payments, made));
  });
  act('/v1/disputes/:id/close', parameters.nothingMore, (_execution, _params, id) => closeDispute(ledger, id));
  look('/v1/disputes/:id', parameters.nothingMore, (_, id) =>
    disputeView(ledger.payments, found(ledger.processor.books.dispute(id), 'dispute', id)),
  );
  look('/v1/disputes', parameters.listRefunds, (params) => {
    const disputes = ledger.payments
      .charged(params)
      .flatMap((authorization) => authorization.disputes)
      .map((opened) => ({ id: opened.disputeId, at: opened.openedAt, opened }))
      .sort((one, other) => one.at - other.at);
    return pageOf(disputes, params, '/v1/disputes', ({ opened }) => disputeView(ledger.payments, opened));
  });
}

function methodRoutes(ledger: Ledger, act: Acting, look: Looking): void {
  act('/v1/customers', parameters.createCustomer, (execution, params) => createCustomerOf(ledger, execution, params));
  look('/v1/customers/:id', parameters.nothingMore, (_, id) =>
    customerView(found(ledger.asked.customers.get(id), 'customer', id)),
  );
  act('/v1/payment_methods', parameters.createMethod, async (execution, { card: { token } }) => {
    if (!token.startsWith('tok_')) throw missing('token', token, 'card[token]');
    checkToken(token, 'card[token]');
    return methodView(await findMethod(ledger, execution, token, 'card[token]'));
  });
  act('/v1/payment_methods/:id/attach', parameters.attachMethod, (execution, { customer }, id) =>
    attachMethodTo(ledger, execution, id, customer),
  );
  look('/v1/payment_methods/:id', parameters.nothingMore, (_, id) =>
    methodView(found(ledger.payments.method(id) ?? testMethod(id), 'PaymentMethod', id, 'payment_method')),
  );
  look('/v1/tokens/:id', parameters.nothingMore, (_, id) =>
    tokenView(found(id.startsWith('tok_') ? id : undefined, 'token', id, 'token')),
  );
}

/** Request id, version and key of the client. */
const head: RequestHandler = (req, res, next) => {
  res.set({
    'request-id': `req_${newId().slice(0, 14)}`,
    'stripe-version': req.get('stripe-version') ?? apiVersion,
    'cache-control': 'no-store',
  });
  const sent = req.get('idempotency-key');
  if (sent !== undefined) res.set('idempotency-key', sent);
  if (/^(sk|rk)_test_\w+$/.test(keyOf(req))) return next();
  const message = keyOf(req) ? 'Invalid API Key provided.' : 'You did not provide an API key.';
  next(new StripeError(401, { type: 'invalid_request_error', message }, false));
};

/** Of `Bearer sk_test_…`, or of Basic with the key as the user. */
function keyOf(req: Request): string {
  const [scheme = '', credentials = ''] = (req.get('authorization') ?? '').split(' ');
  if (scheme.toLowerCase() === 'bearer') return credentials;
  if (scheme.toLowerCase() === 'basic') return Buffer.from(credentials, 'base64').toString().split(':', 1)[0] ?? '';
  return '';
}

const onlyForms: RequestHandler = (req, _res, next) => {
  const length = Number(req.get('content-length') ?? 0);
  const hasBody = length > 0 || req.get('transfer-encoding') !== undefined;
  if (req.method === 'POST' && hasBody && !req.is('application/x-www-form-urlencoded'))
    return next(invalid('Invalid request: the body must be application/x-www-form-urlencoded.'));
  next();
};

const onError: ErrorRequestHandler = async (error: unknown, _req, res, next) => {
  if (res.headersSent) return next(error);
  if (error instanceof NoAnswer) return error.how === 'lost' ? void res.destroy() : hold(res);
  if (error instanceof StripeError) return sendError(res, error);
  if (error instanceof NotWritten) return sendError(res, busy());
  const type = error instanceof Error && 'type' in error ? String(error.type) : '';
  if (/^(entity|parameters|encoding|charset)\./.test(type)) return sendError(res, invalid('Invalid request body.'));
  report(error instanceof Error ? (error.stack ?? error.message) : String(error));
  sendError(res, new StripeError(500, { type: 'api_error', message: 'The sandbox failed.' }, false));
};

function sendError(res: Response, error: StripeError): void {
  res.set('stripe-should-retry', String(error.shouldRetry));
  res.status(error.status).json({ error: error.body });
}

function hold(res: Response): void {
  const closed = new AbortController();
  res.once('close', () => closed.abort());
  sleep(maxHoldMs, undefined, { signal: closed.signal, ref: false }).then(
    () => res.destroy(),
    () => undefined,
  );
}

function idOf(req: Request): string {
  return String(req.params.id ?? '');
}

function found<T>(object: T | undefined, what: string, id: string, param = 'id'): T {
  if (object === undefined) throw missing(what, id, param);
  return object;
}

/** `charge.*` means all events that begin so. */
function fits(name: string, asked: string): boolean {
  return asked.endsWith('*') ? name.startsWith(asked.slice(0, -1)) : name === asked;
}
