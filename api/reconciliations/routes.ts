/** Comparisons of payments with processors' books: `reconciliation/<id>`. */
import type { z } from 'zod';
import { getReconciliation, listReconciliations, type ReconciliationRow } from '../../db/payments/reconciliations.js';
import { type ReconciliationInput, reconciliationWorkflowId } from '../../workflows/reconciliation/contract.js';
import type { ApiDeps } from '../deps.js';
import { now } from '../http/instants.js';
import { pageRequest, viewPage } from '../http/pages.js';
import { type Answer, answer, type Reply, refuse, unavailable } from '../http/reply.js';
import { type CallContext, type Route, route } from '../http/route.js';
import { pageExample } from '../openapi/examples/catalogue.js';
import { reconciliationExample, runningReconciliationExample } from '../openapi/examples/refunds.js';
import {
  newReconciliation,
  type Reconciliation,
  reconciliation,
  reconciliationId,
  reconciliationPage,
  reconciliationQuery,
} from './schemas.js';

const path = '/api/payments/reconciliations';

/** Mounted before the routes of one payment, whose paths would match these. */
export function reconciliationRoutes(deps: ApiDeps): Route[] {
  const { db } = deps.connection;
  return [
    route({
      method: 'post',
      path,
      tag: 'Payments',
      summary: "Compare payments with the processors' books",
      description:
        'Compares what was made in a window, here and at each processor: payments, refunds and disputes. Repairs what is safe, and opens a review for the rest. What is younger than `RECONCILIATION_GRACE_SECONDS`, or has a payment or refund under way, is left alone. Answers 202 while it runs.',
      example: {
        body: { from: reconciliationExample.from, to: reconciliationExample.to },
        answer: reconciliationExample,
        pending: runningReconciliationExample,
      },
      scope: 'admin',
      creates: 'rcn',
      waits: true,
      body: newReconciliation,
      answers: { 201: reconciliation, 202: reconciliation },
      refusals: ['unavailable'],
      handler: (call) => reconcile(call.body, call, deps),
    }),
    route({
      method: 'get',
      path,
      tag: 'Payments',
      summary: 'List reconciliations',
      description: 'Lists the comparisons, newest first, each with its first 20 discrepancies.',
      example: { answer: pageExample(reconciliationExample) },
      scope: 'admin',
      query: reconciliationQuery,
      answers: { 200: reconciliationPage },
      handler: async ({ query }) => {
        const page = pageRequest('reconciliations', query);
        return page.kind === 'refused' ? page : answer(200, viewPage(await listReconciliations(db, page), view));
      },
    }),
    route({
      method: 'get',
      path: `${path}/:id`,
      tag: 'Payments',
      summary: 'Read a reconciliation',
      description: 'Returns how far a comparison has come and what it has found.',
      example: { answer: reconciliationExample },
      scope: 'admin',
      params: reconciliationId,
      answers: { 200: reconciliation },
      refusals: ['not_found', 'unavailable'],
      handler: ({ params }) => read(params.id, deps),
    }),
  ];
}

async function reconcile(
  { from, to }: z.output<typeof newReconciliation>,
  { ids, caller, waitMs, note }: CallContext,
  deps: ApiDeps,
): Promise<Reply<Answer<201 | 202, Reconciliation>>> {
  const reconciliationId = ids.resource;
  const workflowId = reconciliationWorkflowId(reconciliationId);
  note({ reconciliationId, workflowId });
  const { actor, requestId } = caller;
  const input: ReconciliationInput = { reconciliationId, from, to, actor, requestId, requestedAt: now() };
  const outcome = await deps.sagas.startReconciliation(input, { updateId: ids.update, waitMs });
  if (outcome.kind === 'unavailable') return unavailable('Temporal');
  const stored = await getReconciliation(deps.connection.db, reconciliationId);
  const status = stored !== null && stored.status !== 'running' ? 201 : 202;
  return answer(status, stored ? view(stored) : waiting(input), { Location: `${path}/${reconciliationId}` });
}

async function read(id: string, { connection: { db }, sagas }: ApiDeps): Promise<Reply<Answer<200, Reconciliation>>> {
  const stored = await getReconciliation(db, id);
  if (stored) return answer(200, view(stored));
  const started = await sagas.startInput<ReconciliationInput>(reconciliationWorkflowId(id));
  if (started.kind === 'absent') return refuse('not_found', 'no such reconciliation');
  if (started.kind !== 'input') return unavailable('Temporal');
  // A worker may have picked it up meanwhile.
  const now = await getReconciliation(db, id);
  return answer(200, now ? view(now) : waiting(started.input));
}

function view({ found: discrepancyCount, ...row }: ReconciliationRow): Reconciliation {
  return { ...row, discrepancyCount };
}

/** A reconciliation that no worker has picked up yet. */
function waiting({ reconciliationId: id, from, to, requestedAt: createdAt }: ReconciliationInput): Reconciliation {
  const nothing = { compared: 0, discrepancyCount: 0, discrepancies: [], failure: null, completedAt: null };
  return { id, status: 'running', from, to, ...nothing, createdAt };
}
