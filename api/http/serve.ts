/** Serves the routes: validates a request, looks up its Idempotency-Key, carries it out and answers. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ErrorRequestHandler, Express, Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import type { CallIds } from '../../db/access/idempotency.js';
import { type RefusalCode, refusal } from '../../domain/errors.js';
import { idempotencyKeyPattern } from '../../domain/limits.js';
import type { Admission } from '../admission/admission.js';
import { authenticate, type KeyRing, recognise, requireScope } from '../middleware/auth.js';
import { readBody } from '../middleware/body.js';
import { refuseCardDataInBody, refuseCardDataInHead } from '../middleware/card-data.js';
import { type IdempotentCalls, type KeyedOutcome, type Rendered, requestHash } from '../middleware/idempotency.js';
import { acceptRefusal, contentTypeRefusal } from '../middleware/media.js';
import { otherMethods, routeFound } from '../middleware/methods.js';
import { isUnavailable, problemOf, sendRefusal } from '../middleware/problem.js';
import type { AddressLimit } from '../middleware/rate-limit.js';
import { newId } from './ids.js';
import { type AdmittedOutcome, onceAdmitted } from './once-admitted.js';
import { bySpecificity } from './paths.js';
import { preferredWaitMs } from './prefer.js';
import { type Refused, type Reply, refuse, refuseWith } from './reply.js';
import { type AuthenticatedKey, stateOf } from './request-state.js';
import type { CallContext, Route } from './route.js';

export interface ServeDeps {
  readonly keys: KeyRing;
  readonly limit: RequestHandler;
  readonly addresses: AddressLimit;
  readonly calls: IdempotentCalls;
  readonly admission: Admission;
  readonly log: Logger;
}

/** Runs after the key is checked. Refuses card numbers before anything else reads the request. */
const readRequest: readonly RequestHandler[] = [refuseCardDataInHead, readBody, refuseCardDataInBody];

/** Express throws for a path with a broken escape: such a path is simply unknown. */
const treatAsUnknown: ErrorRequestHandler = (error, _req, _res, next) =>
  next(error instanceof URIError ? undefined : error);

/** Mounts the routes of the API in Express, literal paths first. */
export function mountRoutes(app: Express, routes: readonly Route[], deps: ServeDeps): void {
  const limitKey: RequestHandler = (req, res, next) => (stateOf(req).key ? deps.limit(req, res, next) : next());
  // A path or method without a route needs no key: such callers are limited by their address.
  const unknownPath = [recognise(deps), limitKey, ...readRequest];
  for (const [path, ofPath] of [...byPath(routes)].sort(([a], [b]) => bySpecificity(a, b))) {
    const mounted = app.route(path).all(routeFound(path));
    for (const route of ofPath) {
      const serve: RequestHandler = (req, res) => serveRoute(route, req, res, deps);
      mounted[route.method](authenticate(deps), deps.limit, ...readRequest, requireScope(route.scope), serve);
    }
    mounted.all(...unknownPath, otherMethods(ofPath.map(({ method }) => method)));
  }
  app.use(treatAsUnknown, ...unknownPath);
}

function byPath(routes: readonly Route[]): Map<string, Route[]> {
  const found = new Map<string, Route[]>();
  for (const route of routes) found.set(route.path, [...(found.get(route.path) ?? []), route]);
  return found;
}

/** Validates a request, carries it out and answers it. */
async function serveRoute(route: Route, req: Request, res: Response, deps: ServeDeps): Promise<void> {
  const checked = checkRequest(route, req);
  if (checked.kind === 'refused') return sendRefusal(req, res, checked.refusal);
  if (route.waits) stateOf(req).logged.waits = true;
  sendOutcome(req, res, await carryOut(route, checked, req, res, deps));
}

/** A request that its route accepts. */
interface CheckedRequest {
  readonly kind: 'checked';
  readonly key: AuthenticatedKey;
  /** The JSON that was sent; an empty object if there was no body. */
  readonly body: unknown;
  readonly idempotencyKey: string | undefined;
  readonly act: (context: CallContext) => Promise<Reply>;
}

/** Checks media types, body, parameters and Idempotency-Key, in this order. Carries out nothing. */
function checkRequest(route: Route, req: Request): CheckedRequest | Refused {
  const { key, body: reading } = stateOf(req);
  if (!key) throw new Error('a route was reached without a key');
  const mediaRefusal =
    acceptRefusal(req.get('Accept')) ?? (reading.kind === 'none' ? null : contentTypeRefusal(req.get('Content-Type')));
  if (mediaRefusal) return refuseWith(mediaRefusal);
  if (reading.kind === 'malformed') return refuse('malformed_json', 'the body is not JSON in UTF-8');
  const body = reading.kind === 'json' ? reading.value : {};
  const prepared = route.prepare({ params: req.params, query: req.query, body });
  if (prepared.kind === 'invalid') return prepared.refused;

  const idempotencyKey = route.method === 'post' ? req.get('Idempotency-Key') : undefined;
  if (idempotencyKey !== undefined && !idempotencyKeyPattern.test(idempotencyKey))
    return refuse('validation_failed', 'Idempotency-Key must be 1 to 255 visible ASCII characters');
  return { kind: 'checked', key, body, idempotencyKey, act: prepared.act };
}

/** Carries out a request, once it is admitted if it starts a saga. */
async function carryOut(
  route: Route,
  checked: CheckedRequest,
  req: Request,
  res: Response,
  deps: ServeDeps,
): Promise<AdmittedOutcome> {
  const { key, idempotencyKey } = checked;
  const perform = performerOf(route, checked, req, deps);
  const waitMs = route.waits ? preferredWaitMs(req, res) : 0;
  if (!route.startsSaga) return await perform(waitMs);
  const outcome = await onceAdmitted(deps.admission, { apiKeyId: key.id, waitMs, gone: hangUp(res) }, perform);
  const overloaded = outcome.kind === 'busy' && outcome.entry.why === 'overload';
  // A repeated call starts no new saga, and its client must learn what the first call did.
  const repeated =
    overloaded && idempotencyKey !== undefined && (await deps.calls.isKnown({ apiKeyId: key.id, key: idempotencyKey }));
  return repeated ? await perform(waitMs) : outcome;
}

/** Returns a function that performs the call, or finds the stored answer of its Idempotency-Key. */
function performerOf(
  route: Route,
  { key, body, idempotencyKey, act }: CheckedRequest,
  req: Request,
  deps: ServeDeps,
): (waitMs: number) => Promise<KeyedOutcome> {
  const state = stateOf(req);
  const context: Omit<CallContext, 'ids' | 'resumed' | 'waitMs'> = {
    caller: { actor: `api_key:${key.id}`, traceparent: state.traceparent, requestId: state.requestId },
    key,
    log: deps.log,
    note: (facts) => Object.assign(state.logged, facts),
  };
  const freshIds = { resource: newId(route.creates ?? 'upd'), update: newId('upd') };
  return async (waitMs) => {
    const actWith = async (ids: CallIds, resumed: boolean) => {
      const reply = () => act({ ...context, waitMs, ids, resumed });
      return render(req, await (route.method === 'get' ? readTwice(reply) : reply()));
    };
    if (idempotencyKey === undefined) return { kind: 'rendered', rendered: await actWith(freshIds, false) };
    const hash = requestHash(req.method, req.path, body);
    return await deps.calls.run({ apiKeyId: key.id, key: idempotencyKey, requestHash: hash, freshIds }, actWith);
  };
}

function sendOutcome(req: Request, res: Response, outcome: AdmittedOutcome): void {
  switch (outcome.kind) {
    case 'gone':
      break;
    case 'busy':
      res.set('Retry-After', String(outcome.entry.retryAfterSeconds));
      sendRefusal(req, res, refusal('unavailable', busy[outcome.entry.why]));
      break;
    case 'refused':
      sendRefusal(req, res, refusal(outcome.code, keyRefusals[outcome.code]));
      break;
    case 'rendered':
      send(res, outcome.rendered);
      break;
    case 'answered':
      stateOf(req).logged.replayed = true;
      res.set('Idempotency-Replayed', 'true');
      send(res, outcome.answer);
  }
}

/** Aborted when the connection closes. */
function hangUp(res: Response): AbortSignal {
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  return gone.signal;
}

const busy = {
  overload: 'the server is overloaded; nothing was done, try again',
  stopping: 'this process is stopping; nothing was done, try again',
} as const;

/** A read that failed later than this met a server that does not answer; another attempt would double the wait. */
const quickFailureMs = 1000;
/** Wait before the second attempt: long enough to make another connection. */
const readAgainMs = 250;

/** Retries a read once: the first attempt may have used a connection that was lost a while ago. */
async function readTwice<T>(read: () => Promise<T>): Promise<T> {
  const began = performance.now();
  try {
    return await read();
  } catch (error) {
    if (!isUnavailable(error) || performance.now() - began > quickFailureMs) throw error;
    await sleep(readAgainMs);
    return await read();
  }
}

const keyRefusals = {
  idempotency_key_reused: 'this Idempotency-Key was sent before with another method, path or body',
  request_in_progress: 'the call with this Idempotency-Key is still running',
} as const satisfies Partial<Record<RefusalCode, string>>;

const jsonHeaders = { 'Content-Type': 'application/json; charset=utf-8' };

function render(req: Request, reply: Reply): Rendered {
  if (reply.kind === 'refused') {
    const { status, headers, body } = problemOf(req, reply.refusal);
    stateOf(req).logged.code = reply.refusal.code;
    const text = JSON.stringify(body);
    const { resumable = false } = reply;
    return { status, headers, body: text, repeatedBody: text, code: reply.refusal.code, resumable };
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
