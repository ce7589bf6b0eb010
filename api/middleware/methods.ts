/** Answers methods that a path does not serve. */
import type { RequestHandler } from 'express';
import { refusal } from '../../domain/errors.js';
import { stateOf } from '../http/request-state.js';
import { sendRefusal } from './problem.js';

/** Records which path the request has matched, whatever its method. `path` is in Express's form. */
export function routeFound(path: string): RequestHandler {
  return (req, _res, next) => {
    stateOf(req).route = path;
    next();
  };
}

/**
 * Answers OPTIONS, and refuses every other method. `Allow` names the methods that the path serves. Comes last on a path.
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
