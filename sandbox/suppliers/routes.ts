/**
 * The suppliers over HTTP, all of them in one.
 * PUT /suppliers/script/:sku, GET /suppliers/calls?sku= are for tests; the rest is what a supplier offers:
 * POST /supplier/reserve, GET and DELETE of one, POST /supplier/availability, POST /supplier/orders, GET and DELETE of one.
 */
import { type Request, type Response, Router } from 'express';
import { BadRequest, check, jsonBody, sendError } from '../http.js';
import { availabilityBody, orderBody, reserveBody, script } from './facts.js';
import type { DeedView, Reply, SupplierDesk } from './orders.js';

/** A call that times out is held open this long, unless its client goes first. */
const maxHoldMs = 60_000;

export function supplierRoutes(desk: SupplierDesk): Router {
  const routes = Router();

  routes.put('/suppliers/script/:sku', jsonBody, async (req, res) => {
    const wanted = check(script, req.body);
    await desk.instruct(param(req, 'sku'), wanted);
    res.json(wanted);
  });
  routes.get('/suppliers/calls', async (req, res) => {
    res.json(await desk.calls(queryText(req, 'sku')));
  });

  routes.post('/supplier/reserve', jsonBody, async (req, res) => {
    const { idempotencyKey, ...wanted } = check(reserveBody, req.body);
    send(res, 200, await desk.ask('reservation', idempotencyKey, wanted), reservationBody);
  });
  routes.get('/supplier/reserve', async (req, res) => {
    send(res, 200, await desk.lookUp('reservation', keyQuery(req)), reservationBody);
  });
  routes.get('/supplier/reserve/:ref', async (req, res) => {
    send(res, 200, await desk.question('reservation', param(req, 'ref')), ({ told }) => ({ status: told }));
  });
  routes.delete('/supplier/reserve/:refOrKey', async (req, res) => {
    send(res, 200, await desk.cancel('reservation', param(req, 'refOrKey')), ({ id }) => ({
      ref: id,
      status: 'cancelled',
    }));
  });

  routes.post('/supplier/availability', jsonBody, async (req, res) => {
    send(res, 200, await desk.availability(check(availabilityBody, req.body)), (value) => value);
  });

  routes.post('/supplier/orders', jsonBody, async (req, res) => {
    const { idempotencyKey, sku, quantity } = check(orderBody, req.body);
    send(res, 201, await desk.ask('order', idempotencyKey, { sku, quantity }), orderView);
  });
  routes.get('/supplier/orders', async (req, res) => {
    send(res, 200, await desk.lookUp('order', keyQuery(req)), orderView);
  });
  routes.get('/supplier/orders/:id', async (req, res) => {
    send(res, 200, await desk.question('order', param(req, 'id')), ({ deed, told }) => ({ id: deed.id, status: told }));
  });
  routes.delete('/supplier/orders/:id', async (req, res) => {
    send(res, 200, await desk.cancel('order', param(req, 'id')), orderView);
  });
  return routes;
}

function reservationBody({ accepted, id }: DeedView) {
  return { accepted, ref: id };
}

function orderView({ id, cancelled, told }: DeedView) {
  return { id, status: cancelled ? 'cancelled' : (told ?? 'ordered') };
}

function send<T>(res: Response, status: number, reply: Reply<T>, bodyOf: (value: T) => object): void {
  switch (reply.kind) {
    case 'answer':
      res.status(status).json(bodyOf(reply.value));
      break;
    case 'timeout':
      hold(res);
      break;
    case 'lost':
      res.destroy();
      break;
    case 'malformed':
      res.json({ accepted: 'perhaps', ref: 0, status: 7, quantity: 'some' });
      break;
    case 'error':
      sendError(res, 500, 'down', 'the supplier failed');
      break;
    case 'key_reused':
      sendError(res, 422, 'idempotency_key_reused', 'this key came before, with another request');
      break;
    case 'too_late':
      sendError(res, 409, 'already_delivered', 'what was delivered cannot be cancelled');
      break;
    case 'unknown':
      sendError(res, 404, 'unknown', 'the supplier has nothing of this name or key');
      break;
  }
}

function param(req: Request, name: string): string {
  const value = req.params[name];
  if (typeof value === 'string' && value.length <= 255) return value;
  throw new BadRequest(422, 'validation_failed', `${name}: at most 255 characters`);
}

function queryText(req: Request, name: string): string | undefined {
  const value = req.query[name];
  if (value === undefined || typeof value === 'string') return value;
  throw new BadRequest(422, 'validation_failed', `${name}: one at most`);
}

function keyQuery(req: Request): string {
  const key = queryText(req, 'idempotencyKey');
  if (key) return key;
  throw new BadRequest(422, 'validation_failed', 'idempotencyKey: required');
}

function hold(res: Response): void {
  const timer = setTimeout(() => res.destroy(), maxHoldMs);
  res.once('close', () => clearTimeout(timer));
}
