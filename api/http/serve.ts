/** Carries a request through its route: checks it, looks its Idempotency-Key up, acts, answers. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ErrorRequestHandler, Express, Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import type { CallIds } from '../../db/access/idempotency.js';
import { type RefusalCode, refusal } from '../../domain/errors.js';
import { defaultWaitSeconds, idempotencyKeyPattern, maxWaitSeconds } from '../../domain/limits.js';
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
import { onceAdmitted } from './once-admitted.js';
import { bySpecificity } from './paths.js';
import type { Reply } from './reply.js';
import { stateOf } from './request-state.js';
import type { CallContext, Route } from './route.js';

export interface ServeDeps {
  readonly keys: KeyRing;
  readonly limit: RequestHandler;
  readonly addresses: AddressLimit;
  readonly calls: IdempotentCalls;
  readonly admission: Admission;
  readonly log: Logger;
}

/** The key has been checked: card numbers are refused before anything else looks at the request. */
const readRequest: readonly RequestHandler[] = [refuseCardDataInHead, readBody, refuseCardDataInBody];

/** A path with a broken escape fits no route, which Express says by an error. */
const takeAsNowhere: ErrorRequestHandler = (error, _req, _res, next) =>
  next(error instanceof URIError ? undefined : error);

/** Puts the routes of the API into Express, those of literal paths first. */
export function mountRoutes(app: Express, routes: readonly Route[], deps: ServeDeps): void {
  const limitKey: RequestHandler = (req, res, next) => (stateOf(req).key ? deps.limit(req, res, next) : next());
  // What leads to no route needs no key: a caller without one is let in by its address alone.
  const leadsNowhere = [recognise(deps), limitKey, ...readRequest];
  for (const [path, ofPath] of [...byPath(routes)].sort(([a], [b]) => bySpecificity(a, b))) {
    const mounted = app.route(path).all(routeFound(path));
    for (const route of ofPath) {
      const serve: RequestHandler = (req, res) => serveRoute(route, req, res, deps);
      mounted[route.method](authenticate(deps), deps.limit, ...readRequest, requireScope(route.scope), serve);
    }
    mounted.all(...leadsNowhere, otherMethods(ofPath.map(({ method }) => method)));
  }
  app.use(takeAsNowhere, ...leadsNowhere);
}

function byPath(routes: readonly Route[]): Map<string, Route[]> {
  const found = new Map<string, Route[]>();
  for (const route of routes) found.set(route.path, [...(found.get(route.path) ?? []), route]);
  return found;
}

async function serveRoute(route: Route, req: Request, res: Response, deps: ServeDeps): Promise<void> {
  const state = stateOf(req);
  const { key, body } = state;
  if (!key) throw new Error('a route was reached without a key');
  const unfit =
    acceptRefusal(req.get('Accept')) ?? (body.kind === 'none' ? null : contentTypeRefusal(req.get('Content-Type')));
  if (unfit) return sendRefusal(req, res, unfit);
  if (body.kind === 'malformed')
    return sendRefusal(req, res, refusal('malformed_json', 'the body is not JSON in UTF-8'));
  const sent = body.kind === 'json' ? body.value : {};
  const prepared = route.prepare({ params: req.params, query: req.query, body: sent });
  if (prepared.kind === 'invalid') return sendRefusal(req, res, prepared.refused.refusal);

  const idempotencyKey = route.method === 'post' ? req.get('Idempotency-Key') : undefined;
  if (idempotencyKey !== undefined && !idempotencyKeyPattern.test(idempotencyKey))
    return sendRefusal(
      req,
      res,
      refusal('validation_failed', 'Idempotency-Key must be 1 to 255 visible ASCII characters'),
    );

  const context: Omit<CallContext, 'ids' | 'resumed' | 'waitMs'> = {
    caller: { actor: `api_key:${key.id}`, traceparent: state.traceparent, requestId: state.requestId },
    key,
    log: deps.log,
    note: (facts) => Object.assign(state.logged, facts),
  };
  if (route.waits) state.logged.waits = true;
  const freshIds = { resource: newId(route.creates ?? 'upd'), update: newId('upd') };
  const perform = async (waitMs: number): Promise<KeyedOutcome> => {
    const act = async (ids: CallIds, resumed: boolean) => {
      const answer = () => prepared.act({ ...context, waitMs, ids, resumed });
      return render(req, await (route.method === 'get' ? readTwice(answer) : answer()));
    };
    if (idempotencyKey === undefined) return { kind: 'rendered', rendered: await act(freshIds, false) };
    const hash = requestHash(req.method, req.path, sent);
    return deps.calls.run({ apiKeyId: key.id, key: idempotencyKey, requestHash: hash, freshIds }, act);
  };
  const waitMs = route.waits ? waitMsOf(req, res) : 0;
  let outcome = route.startsSaga
    ? await onceAdmitted(deps.admission, { apiKeyId: key.id, waitMs, gone: hangUp(res) }, perform)
    : await perform(waitMs);
  // A repeated call starts nothing new, and its client has to learn what the first one did.
  const repeats = idempotencyKey !== undefined && outcome.kind === 'busy' && outcome.entry.why === 'overload';
  if (repeats && (await deps.calls.isKnown({ apiKeyId: key.id, key: idempotencyKey }))) outcome = await perform(waitMs);
  if (outcome.kind === 'gone') return;
  if (outcome.kind === 'busy') {
    res.set('Retry-After', String(outcome.entry.retryAfterSeconds));
    return sendRefusal(req, res, refusal('unavailable', busy[outcome.entry.why]));
  }
  if (outcome.kind === 'refused') return sendRefusal(req, res, refusal(outcome.code, keyRefusals[outcome.code]));
  if (outcome.kind === 'rendered') return send(res, outcome.rendered);
  state.logged.replayed = true;
  res.set('Idempotency-Replayed', 'true');
  send(res, outcome.answer);
}

/** Aborted when the connection closes. */
function hangUp(res: Response): AbortSignal {
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  return gone.signal;
}

const busy = {
  overload: 'more is asked for than can be done soon; nothing was done, try again',
  stopping: 'this process is stopping; nothing was done, try again',
} as const;

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
