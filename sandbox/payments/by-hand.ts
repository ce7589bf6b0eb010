/**
 * What somebody does in the processor's own pages, without an Idempotency-Key:
 * POST /payments/authorizations, /payments/:authorizationId/refunds, /payments/:authorizationId/disputes,
 * /disputes/:disputeId/amount, /disputes/:disputeId/close.
 */
import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { check, jsonBody, sendError } from '../http.js';
import { answerOf } from './answers.js';
import { amount, authorizeBody, type MoneyRequest, refundBody } from './facts.js';
import { authorizationIdOf, disputeIdOf, unknownAuthorization, unknownDispute } from './ids.js';
import type { Processor } from './processor.js';
import type { DisputeReply } from './replies.js';
import { closeOutcomes } from './rules.js';

const disputeBody = z.strictObject({
  amount: amount.optional(),
  reason: z.string().trim().min(1).max(255),
  inquiry: z.boolean().optional(),
  refundable: z.boolean().optional(),
});
const closeBody = z.strictObject({ outcome: z.enum(closeOutcomes) });

const refusals: Readonly<Record<string, string>> = {
  not_captured: 'nothing was captured',
  over_refund: 'less than that is left of what was captured',
  disputed: 'a dispute freezes refunds',
  already_closed: 'this dispute was closed with another outcome',
  not_an_inquiry: 'only an inquiry is closed without a decision: this dispute is won or lost',
};

export function byHandRoutes(processor: Processor): Router {
  const routes = Router();

  const money = async (res: Response, request: MoneyRequest) => {
    const reply = await processor.byHand(request);
    if (reply.kind === 'unknown') return unknownAuthorization();
    if (reply.kind === 'refused') return refuse(res, reply.code);
    const { status, body } = answerOf(request, reply.value, processor);
    return res.status(status).json(body);
  };
  const dispute = (res: Response, status: number, reply: DisputeReply, unknown: () => never) => {
    if (reply.kind === 'unknown') return unknown();
    if (reply.kind === 'refused') return refuse(res, reply.code);
    const { id, authorizationId, ...rest } = reply.value;
    return res.status(status).json({ authorizationId, disputeId: id, id, ...rest });
  };

  routes.post('/payments/authorizations', jsonBody, (req, res) =>
    money(res, { kind: 'authorize', ...check(authorizeBody, req.body) }),
  );
  routes.post('/payments/:authorizationId/refunds', jsonBody, (req, res) =>
    money(res, { kind: 'refund', authorizationId: authorizationIdOf(req), ...check(refundBody, req.body) }),
  );
  routes.post('/payments/:authorizationId/disputes', jsonBody, async (req, res) => {
    const request = { authorizationId: authorizationIdOf(req), ...check(disputeBody, req.body) };
    return dispute(res, 201, await processor.openDispute(request), unknownAuthorization);
  });
  routes.post('/disputes/:disputeId/amount', jsonBody, async (req: Request, res) => {
    const { amount: changed } = check(refundBody, req.body);
    return dispute(res, 200, await processor.changeDispute(disputeIdOf(req), changed), unknownDispute);
  });
  routes.post('/disputes/:disputeId/close', jsonBody, async (req: Request, res) => {
    const { outcome } = check(closeBody, req.body);
    return dispute(res, 200, await processor.closeDispute(disputeIdOf(req), outcome), unknownDispute);
  });
  return routes;
}

function refuse(res: Response, code: string): void {
  sendError(res, 409, code, refusals[code] ?? code);
}
