/**
 * The card processor over HTTP.
 * POST /payments/authorize, /payments/:authorizationId/capture, /void, /refund, each with an Idempotency-Key;
 * POST /payments/cards { token }: whether the card can be charged again later; its token is kept by whom it asks.
 * GET /payments/operations?idempotencyKey=, /payments/:authorizationId, /payments[?reference=&from=&to=&limit=&cursor=].
 */
import { type Request, type Response, Router } from 'express';
import { BadRequest, check, jsonBody, sendError } from '../http.js';
import { answerOf } from './answers.js';
import { authorizeBody, captureBody, type MoneyRequest, refundBody, storeBody, voidBody } from './facts.js';
import { authorizationIdOf, unknownAuthorization } from './ids.js';
import { readListQuery } from './listing.js';
import type { Processor } from './processor.js';
import { behaviourOf, isUsed, tokenUsed } from './tokens.js';

/** How long a call that times out is held open, unless its client disconnects first. */
const maxHoldMs = 60_000;

/** @param stopping aborts slow calls when the sandbox stops */
export function paymentRoutes(processor: Processor, stopping: AbortSignal): Router {
  const routes = Router();

  const money = async (req: Request, res: Response, request: MoneyRequest) => {
    const reply = await processor.submit(keyOf(req), request, stopping);
    switch (reply.kind) {
      case 'answer': {
        const { status, body } = answerOf(request, reply.outcome, processor);
        return res.status(status).json(body);
      }
      case 'timeout':
        return hold(res);
      case 'lost':
        return res.destroy();
      case 'down':
        return sendError(res, 500, 'down', 'the processor failed');
      case 'unavailable':
        return sendError(res, 503, 'unavailable', 'the processor is busy; nothing was done');
      case 'key_reused':
        return sendError(res, 422, 'idempotency_key_reused', 'this key was used before with another request');
      case 'unknown_authorization':
        return unknownAuthorization();
    }
  };

  routes.post('/payments/authorize', jsonBody, (req, res) =>
    money(req, res, { kind: 'authorize', ...check(authorizeBody, req.body) }),
  );
  routes.post('/payments/cards', jsonBody, (req, res) => {
    const { token } = check(storeBody, req.body);
    if (isUsed(behaviourOf(token))) throw new BadRequest(422, tokenUsed, 'this token was used before');
    res.json({ stored: true });
  });
  routes.post('/payments/:authorizationId/capture', jsonBody, (req, res) =>
    money(req, res, { kind: 'capture', authorizationId: authorizationIdOf(req), ...check(captureBody, req.body) }),
  );
  routes.post('/payments/:authorizationId/void', jsonBody, (req, res) => {
    check(voidBody, req.body);
    return money(req, res, { kind: 'void', authorizationId: authorizationIdOf(req) });
  });
  routes.post('/payments/:authorizationId/refund', jsonBody, (req, res) =>
    money(req, res, { kind: 'refund', authorizationId: authorizationIdOf(req), ...check(refundBody, req.body) }),
  );

  routes.get('/payments/operations', async (req, res) => {
    const { idempotencyKey } = req.query;
    if (typeof idempotencyKey !== 'string') throw new BadRequest(422, 'validation_failed', 'idempotencyKey: required');
    const found = await processor.find(idempotencyKey);
    if (found.kind === 'unknown') return sendError(res, 404, 'unknown_operation', 'nothing happened under this key');
    if (found.kind === 'in_progress')
      return sendError(res, 409, 'in_progress', 'a call with this key is in progress; ask again');
    const { request, outcome } = found;
    return res.json({ kind: request.kind, idempotencyKey, answer: answerOf(request, outcome, processor) });
  });
  routes.get('/payments/:authorizationId', async (req, res) => {
    return res.json((await processor.view(authorizationIdOf(req))) ?? unknownAuthorization());
  });
  routes.get('/payments', async (req, res) => {
    const { reference, window } = await readListQuery(req.query);
    return res.json(window ? await processor.page(window) : await processor.list(reference));
  });
  return routes;
}

function keyOf(req: Request): string {
  const key = req.get('idempotency-key') ?? '';
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw new BadRequest(
    400,
    'idempotency_key_required',
    'a money call needs an Idempotency-Key of 1 to 255 visible characters',
  );
}

function hold(res: Response): void {
  const timer = setTimeout(() => res.destroy(), maxHoldMs);
  res.once('close', () => clearTimeout(timer));
}
