/** Refuses HTTP/1.1 requests without a Host header (RFC 9112, section 3.2). Node's own refusal is no problem document. */
import type { RequestHandler } from 'express';
import { connectionProblem } from '../http/connection-problems.js';
import { stateOf } from '../http/request-state.js';

export const hostIsNamed: RequestHandler = (req, res, next) => {
  if (req.httpVersion === '1.0' || req.headers.host !== undefined) return next();
  const { requestId } = stateOf(req);
  const { status, headers, body } = connectionProblem(400, requestId);
  res.status(status).set(headers).set('Connection', 'close').send(body);
};
