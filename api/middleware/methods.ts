/** What a path answers to methods that it does not serve. */
import type { RequestHandler } from 'express';
import { refusal } from '../../domain/errors.js';
import { stateOf } from '../http/request-state.js';
import { sendRefusal } from './problem.js';

/** Notes which route the request has come to, whatever its method. `path` in Express's form. */
export function routeFound(path: string): RequestHandler {
  return (req, _res, next) => {
    stateOf(req).route = path;
    next();
  };
}

/**
 * Answers OPTIONS, and refuses every other method, with the methods that the path serves in `Allow`. Comes last on a path.
 * @param served in lower case; Express answers HEAD wherever it answers GET
 */
export function otherMethods(served: readonly string[]): RequestHandler {
  const methods = served.map((method) => method.toUpperCase());
  const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
  return (req, res) => {
    res.set('Allow', allow);
    if (req.method === 'OPTIONS') res.status(204).end();
    else sendRefusal(req, res, refusal('method_not_allowed', `${req.method} is not allowed here; see Allow`));
  };
}
