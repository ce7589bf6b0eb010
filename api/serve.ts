/** Carries a request through its route: checks it, looks its Idempotency-Key up, acts, answers. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Express, Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import type { CallIds } from '../db/idempotency.js';
import { type RefusalCode, refusal } from '../domain/errors.js';
import { newId } from './ids.js';
import { authenticate, type KeyRing } from './middleware/auth.js';
import { type IdempotentCalls, type Rendered, requestHash } from './middleware/idempotency.js';
import { isUnavailable, problemOf, sendRefusal } from './middleware/problem.js';
import type { Reply } from './reply.js';
import { stateOf } from './request-state.js';
import type { CallContext, Route } from './route.js';

export interface ServeDeps {
  readonly keys: KeyRing;
  readonly limit: RequestHandler;
  readonly calls: IdempotentCalls;
  readonly log: Logger;
}

/** Puts the routes of the API into Express; other methods on their paths are `not_found`, with `Allow`. */
export function mountRoutes(app: Express, routes: readonly Route[], deps: ServeDeps): void {
  for (const route of routes) {
    const found: RequestHandler = (req, _res, next) => {
      stateOf(req).route = route.path;
      next();
    };
    const serve: RequestHandler = (req, res) => serveRoute(route, req, res, deps);
    app[route.method](route.path, found, authenticate(deps.keys, route.scope), deps.limit, serve);
  }
  for (const path of new Set(routes.map((route) => route.path))) {
    const methods = routes.filter((route) => route.path === path).map((route) => route.method.toUpperCase());
    const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
    app.route(path).all((req, res) => {
      res.set('Allow', allow);
      if (req.method === 'OPTIONS') res.status(204).end();
      else sendRefusal(req, res, refusal('not_found', `${req.method} is not done here; see Allow`));
    });
  }
}

const keyPattern = /^[\x21-\x7e]{1,255}$/;

async function serveRoute(route: Route, req: Request, res: Response, deps: ServeDeps): Promise<void> {
  const state = stateOf(req);
  const { key, body } = state;
  if (!key) throw new Error('a route was reached without a key');
  if (body.kind === 'malformed')
    return sendRefusal(req, res, refusal('malformed_json', 'the body is not JSON in UTF-8'));
  const sent = body.kind === 'json' ? body.value : {};
  const prepared = route.prepare({ params: req.params, query: req.query, body: sent });
  if (prepared.kind === 'invalid') return sendRefusal(req, res, prepared.refused.refusal);

  const context: Omit<CallContext, 'ids' | 'resumed'> = {
    caller: { actor: `api_key:${key.id}`, traceparent: state.traceparent, requestId: state.requestId },
    key,
    waitMs: route.waits ? waitMsOf(req, res) : 0,
    log: deps.log,
    note: (facts) => Object.assign(state.logged, facts),
  };
  if (route.waits) state.logged.waits = true;
  const act = async (ids: CallIds, resumed: boolean) => {
    const answer = () => prepared.act({ ...context, ids, resumed });
    return render(req, await (route.method === 'get' ? readTwice(answer) : answer()));
  };
  const freshIds = { resource: newId(route.creates ?? 'upd'), update: newId('upd') };

  const idempotencyKey = route.method === 'post' ? req.get('Idempotency-Key') : undefined;
  if (idempotencyKey === undefined) return send(res, await act(freshIds, false));
  if (!keyPattern.test(idempotencyKey))
    return sendRefusal(
      req,
      res,
      refusal('validation_failed', 'Idempotency-Key must be 1 to 255 visible ASCII characters'),
    );

  const outcome = await deps.calls.run(
    { apiKeyId: key.id, key: idempotencyKey, requestHash: requestHash(req.method, req.path, sent), freshIds },
    act,
  );
  if (outcome.kind === 'refused') return sendRefusal(req, res, refusal(outcome.code, keyRefusals[outcome.code]));
  if (outcome.kind === 'rendered') return send(res, outcome.rendered);
  state.logged.replayed = true;
  res.set('Idempotency-Replayed', 'true');
  send(res, outcome.answer);
}

/** A read that took longer met a server that does not answer: asking again would double the wait. */
const soonMs = 1000;
/** Between a read that met a lost connection and the next: long enough for another connection to be made. */
const readAgainMs = 250;

/** A read may come upon a connection that was lost a while ago: it is done once more before the client hears of it. */
async function readTwice<T>(read: () => Promise<T>): Promise<T> {
  const began = performance.now();
  try {
    return await read();
  } catch (error) {
    if (!isUnavailable(error) || performance.now() - began > soonMs) throw error;
    await sleep(readAgainMs);
    return await read();
  }
}

const keyRefusals = {
  idempotency_key_reused: 'this Idempotency-Key was sent with another method, path or body before',
  request_in_progress: 'the call with this Idempotency-Key is still running',
} as const satisfies Partial<Record<RefusalCode, string>>;

const jsonHeaders = { 'Content-Type': 'application/json; charset=utf-8' };

function render(req: Request, reply: Reply): Rendered {
  if (reply.kind === 'refused') {
    const { status, headers, body } = problemOf(req, reply.refusal);
    stateOf(req).logged.code = reply.refusal.code;
    const text = JSON.stringify(body);
    return { status, headers, body: text, repeatedBody: text, code: reply.refusal.code };
  }
  const text = JSON.stringify(reply.body);
  const repeated = reply.repeatedBody === undefined ? text : JSON.stringify(reply.repeatedBody);
  return {
    status: reply.status,
    headers: { ...jsonHeaders, ...reply.headers },
    body: text,
    repeatedBody: repeated,
    code: null,
  };
}

function send(res: Response, answer: Pick<Rendered, 'status' | 'headers' | 'body'>): void {
  res.status(answer.status).set(answer.headers).send(answer.body);
}

const defaultWaitSeconds = 10;
const maxWaitSeconds = 30;

/** RFC 7240: `wait=N`, and `respond-async` where no wait is named. What makes no sense is passed over. */
function waitMsOf(req: Request, res: Response): number {
  const preferences = (req.get('Prefer') ?? '').split(',').map((part) => part.trim().toLowerCase());
  const wait = preferences
    .map((part) => /^wait\s*=\s*"?(\d{1,6})"?$/.exec(part)?.[1])
    .find((value) => value !== undefined);
  if (wait === undefined && !preferences.includes('respond-async')) return defaultWaitSeconds * 1000;
  const seconds = Math.min(Number(wait ?? 0), maxWaitSeconds);
  res.set('Preference-Applied', wait === undefined ? 'respond-async' : `wait=${seconds}`);
  return seconds * 1000;
}
