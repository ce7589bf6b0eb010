/** Gives each request its id and trace. */
import { randomBytes } from 'node:crypto';
import type { RequestHandler } from 'express';
import { holdsCardNumber } from '../../domain/cards/numbers.js';
import { newId } from '../http/ids.js';
import { setState } from '../http/request-state.js';

const requestIdPattern = /^[A-Za-z0-9][A-Za-z0-9._:/+=@-]{0,127}$/;
/** https://www.w3.org/TR/trace-context/#traceparent-header; a future version may have more fields. */
const traceparentPattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(?:-.*)?$/;

export const requestId: RequestHandler = (req, res, next) => {
  const sent = req.get('X-Request-Id');
  const id = sent !== undefined && requestIdPattern.test(sent) && !holdsCardNumber(sent) ? sent : newId('req');
  const [, callersTrace, callersFlags] = traceparentPattern.exec(req.get('traceparent') ?? '') ?? [];
  const traceId = callersTrace ?? randomBytes(16).toString('hex');
  const span = randomBytes(8).toString('hex');
  setState(req, {
    requestId: id,
    traceparent: `00-${traceId}-${span}-${callersFlags ?? '01'}`,
    traceId,
    key: null,
    body: { kind: 'none' },
    route: null,
    logged: {},
  });
  res.set('X-Request-Id', id);
  next();
};
