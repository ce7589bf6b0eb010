/**
 * All suppliers over HTTP. PUT /suppliers/script/:sku and GET /suppliers/calls?sku= are for tests. The rest is the
 * interface of a supplier: POST /supplier/reserve, GET and DELETE of one, POST /supplier/availability, POST
 * /supplier/orders, GET and DELETE of one.
 */
import { type Request, type Response, Router } from 'express';
import { BadRequest, check, jsonBody, sendError } from '../http.js';
import { availabilityBody, orderBody, reserveBody, script } from './facts.js';
import type { DeedView, Reply, Suppliers } from './orders.js';

/** How long a call that times out is held open, unless its client disconnects first. */
const maxHoldMs = 60_000;

export function supplierRoutes(suppliers: Suppliers): Router {
  const routes = Router();

  routes.put('/suppliers/script/:sku', jsonBody, async (req, res) => {
    const checked = check(script, req.body);
    await suppliers.instruct(param(req, 'sku'), checked);
    res.json(checked);
  });
  routes.get('/suppliers/calls', async (req, res) => {
    res.json(await suppliers.calls(queryText(req, 'sku')));
  });

  routes.post('/supplier/reserve', jsonBody, async (req, res) => {
    const { idempotencyKey, ...goods } = check(reserveBody, req.body);
    send(res, 200, await suppliers.ask('reservation', idempotencyKey, goods), reservationBody);
  });
  routes.get('/supplier/reserve', async (req, res) => {
    send(res, 200, await suppliers.lookUp('reservation', keyQuery(req)), reservationBody);
  });
  routes.get('/supplier/reserve/:ref', async (req, res) => {
    send(res, 200, await suppliers.question('reservation', param(req, 'ref')), ({ status }) => ({ status }));
  });
  routes.delete('/supplier/reserve/:refOrKey', async (req, res) => {
    send(res, 200, await suppliers.cancel('reservation', param(req, 'refOrKey')), ({ id }) => ({
      ref: id,
      status: 'cancelled',
    }));
  });

  routes.post('/supplier/availability', jsonBody, async (req, res) => {
    send(res, 200, await suppliers.availability(check(availabilityBody, req.body)), (value) => value);
  });

  routes.post('/supplier/orders', jsonBody, async (req, res) => {
    const { idempotencyKey, sku, quantity } = check(orderBody, req.body);
    send(res, 201, await suppliers.ask('order', idempotencyKey, { sku, quantity }), orderView);
  });
  routes.get('/supplier/orders', async (req, res) => {
    send(res, 200, await suppliers.lookUp('order', keyQuery(req)), orderView);
  });
  routes.get('/supplier/orders/:id', async (req, res) => {
    send(res, 200, await suppliers.question('order', param(req, 'id')), ({ deed, status }) => ({
      id: deed.id,
      status,
    }));
  });
  routes.delete('/supplier/orders/:id', async (req, res) => {
    send(res, 200, await suppliers.cancel('order', param(req, 'id')), orderView);
  });
  return routes;
}

function reservationBody({ accepted, id }: DeedView) {
  return { accepted, ref: id };
}

function orderView({ id, cancelled, lastStatus }: DeedView) {
  return { id, status: cancelled ? 'cancelled' : (lastStatus ?? 'ordered') };
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
      sendError(res, 422, 'idempotency_key_reused', 'this key was used before with another request');
      break;
    case 'too_late':
      sendError(res, 409, 'already_delivered', 'a delivered order cannot be cancelled');
      break;
    case 'unknown':
      sendError(res, 404, 'unknown', 'the supplier has nothing with this id or key');
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
