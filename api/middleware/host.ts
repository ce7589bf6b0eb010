/** HTTP/1.1 asks for a Host header (RFC 9112, section 3.2); Node's own answer would be no problem document. */
import type { RequestHandler } from 'express';
import { connectionProblem } from '../http/connection-problems.js';
import { stateOf } from '../http/request-state.js';

export const hostIsNamed: RequestHandler = (req, res, next) => {
  if (req.httpVersion === '1.0' || req.headers.host !== undefined) return next();
  const { requestId } = stateOf(req);
  const { status, headers, body } = connectionProblem(400, requestId);
  res.status(status).set(headers).set('Connection', 'close').send(body);
};
