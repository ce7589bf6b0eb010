/** Logs each request as one JSON line: ids, route, status and time. Never a path, query, header or body from a client. */
import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import { pinoHttp } from 'pino-http';
import { stateOf, stateOrNull } from '../http/request-state.js';

/** A slower request is a warning, unless it waited for a decision. */
const slowMs = 2000;

export function accessLog(log: Logger): RequestHandler {
  return pinoHttp({
    logger: log,
    genReqId: (req) => stateOf(req).requestId,
    quietReqLogger: true,
    quietResLogger: true,
    customAttributeKeys: { reqId: 'requestId', responseTime: 'ms' },
    // The rest of a request may hold personal data, so only the members below are logged.
    serializers: {
      req: () => undefined,
      res: () => undefined,
    },
    customLogLevel: (req, res, error) => {
      if (res.statusCode === 503) return 'warn';
      if (error || res.statusCode >= 500) return 'error';
      const state = stateOrNull(req);
      if (state?.route === '/livez' || state?.route === '/readyz' || state?.route === '/metrics') return 'debug';
      return 'info';
    },
    customSuccessMessage: () => 'request',
    customErrorMessage: () => 'request',
    customSuccessObject: (req, res, line: object) => ({ ...line, ...members(req, res.statusCode) }),
    // The error itself was logged where it was caught.
    customErrorObject: (req, res, _error, { err: _, ...line }) => ({ ...line, ...members(req, res.statusCode) }),
  });
}

function members(req: { method?: string | undefined }, status: number): Record<string, unknown> {
  const state = stateOrNull(req);
  return { method: req.method, route: state?.route ?? null, status, traceId: state?.traceId, ...state?.logged };
}

/** Logs a warning for each slow request. */
export function slowWarning(log: Logger): RequestHandler {
  return (req, res, next) => {
    const started = performance.now();
    res.once('finish', () => {
      const ms = Math.round(performance.now() - started);
      const state = stateOf(req);
      if (ms > slowMs && state.logged.waits !== true)
        log.warn({ requestId: state.requestId, route: state.route, ms, ...state.logged }, 'slow request');
    });
    next();
  };
}
