/** Verifications that the ledger, the levels and the open holds agree: `verification/<id>`. */
import {
  getVerification,
  listVerifications,
  maxDifferences,
  type VerificationRow,
} from '../../db/stock/verifications.js';
import { type Position, start, verifyChunk } from '../../db/stock/verify.js';
import type { LedgerDifference } from '../../domain/stock.js';
import { type VerificationInput, verificationWorkflowId } from '../../workflows/verification/contract.js';
import type { ApiDeps } from '../deps.js';
import { now } from '../http/instants.js';
import { pageRequest, viewPage } from '../http/pages.js';
import { type Answer, answer, type Reply, refuse, unavailable } from '../http/reply.js';
import { type CallContext, type Route, route } from '../http/route.js';
import { pageExample } from '../openapi/examples/catalogue.js';
import { runningVerificationExample, verificationExample } from '../openapi/examples/supply.js';
import {
  type Outcome,
  outcome,
  type Verification,
  verification,
  verificationId,
  verificationPage,
  verificationQuery,
} from './schemas.js';

/** Limits of a verification within a call: its time, and the ledger rows that one statement reads. */
const inCallMs = 30_000;
const inCallRows = 20_000;

export function ledgerRoutes(deps: ApiDeps): Route[] {
  const { db } = deps.connection;
  return [
    route({
      method: 'post',
      path: '/api/ledger/verifications',
      tag: 'Stock',
      summary: 'Verify the ledger',
      description:
        'Adds up the whole ledger and compares it with the current figures and the open holds, even while stock is changing. Answers 202 while it runs: read the verification for its progress.',
      example: { answer: verificationExample, pending: runningVerificationExample },
      scope: 'admin',
      creates: 'ver',
      waits: true,
      answers: { 201: verification, 202: verification },
      refusals: ['unavailable'],
      handler: (call) => verifyLedger(call, deps),
    }),
    route({
      method: 'get',
      path: '/api/ledger/verifications',
      tag: 'Stock',
      summary: 'List verifications of the ledger',
      description: 'Lists the verifications, newest first.',
      example: { answer: pageExample(verificationExample) },
      scope: 'admin',
      query: verificationQuery,
      answers: { 200: verificationPage },
      handler: async ({ query }) => {
        const page = pageRequest('verifications', query);
        return page.kind === 'refused' ? page : answer(200, viewPage(await listVerifications(db, page), view));
      },
    }),
    route({
      method: 'get',
      path: '/api/ledger/verifications/:id',
      tag: 'Stock',
      summary: 'Read a verification of the ledger',
      description: 'Returns how far a verification has come and what it has found.',
      example: { answer: verificationExample },
      scope: 'admin',
      params: verificationId,
      answers: { 200: verification },
      refusals: ['not_found', 'unavailable'],
      handler: ({ params }) => readVerification(params.id, deps),
    }),
    route({
      method: 'get',
      path: '/api/ledger/verify',
      tag: 'Stock',
      summary: 'Verify a small ledger in one call',
      description:
        'Deprecated: start a verification instead. Compares the ledger with the current figures and the open holds within the call, and answers 503 if that takes longer than 30 s.',
      example: { answer: { clean: true, differences: [] } },
      scope: 'admin',
      answers: { 200: outcome },
      refusals: ['unavailable'],
      handler: () => verifyInCall(deps),
    }),
  ];
}

async function verifyLedger(
  { ids, caller, waitMs, note }: CallContext,
  deps: ApiDeps,
): Promise<Reply<Answer<201 | 202, Verification>>> {
  const verificationId = ids.resource;
  const workflowId = verificationWorkflowId(verificationId);
  note({ verificationId, workflowId });
  const input: VerificationInput = { verificationId, caller, requestedAt: now() };
  const outcome = await deps.sagas.startVerification(input, { updateId: ids.update, waitMs });
  if (outcome.kind === 'unavailable') return unavailable('Temporal');
  const stored = await getVerification(deps.connection.db, verificationId);
  const status = stored !== null && stored.status !== 'running' ? 201 : 202;
  return answer(status, stored ? view(stored) : waiting(input), {
    Location: `/api/ledger/verifications/${verificationId}`,
  });
}

/** For clients from before verifications became sagas. */
async function verifyInCall({ connection: { sql } }: ApiDeps): Promise<Reply<Answer<200, Outcome>>> {
  const end = performance.now() + inCallMs;
  const differences: LedgerDifference[] = [];
  for (let position: Position | null = start; position !== null; ) {
    if (performance.now() > end)
      return refuse('unavailable', 'the ledger is too large to verify in one call: start a verification');
    const chunk = await verifyChunk(sql, position, inCallRows);
    differences.push(...chunk.differences.slice(0, maxDifferences - differences.length));
    position = chunk.next;
  }
  return answer(200, { clean: differences.length === 0, differences });
}

async function readVerification(
  id: string,
  { connection: { db }, sagas }: ApiDeps,
): Promise<Reply<Answer<200, Verification>>> {
  const stored = await getVerification(db, id);
  if (stored) return answer(200, view(stored));
  const started = await sagas.startInput<VerificationInput>(verificationWorkflowId(id));
  if (started.kind === 'absent') return refuse('not_found', 'no such verification');
  if (started.kind !== 'input') return unavailable('Temporal');
  // A worker may have picked it up meanwhile.
  const now = await getVerification(db, id);
  return answer(200, now ? view(now) : waiting(started.input));
}

function view(row: VerificationRow): Verification {
  const compared = row.status === 'completed';
  return {
    id: row.id,
    status: row.status,
    checked: row.checked,
    total: row.total,
    clean: row.differenceCount > 0 ? false : compared ? true : null,
    differenceCount: row.differenceCount,
    differences: row.differences,
    createdAt: row.createdAt,
    completedAt: row.completedAt,
  };
}

/** A verification that no worker has picked up yet. */
function waiting({ verificationId: id, requestedAt: createdAt }: VerificationInput): Verification {
  const nothing = { checked: 0, total: 0, clean: null, differenceCount: 0, differences: [] };
  return { id, status: 'running', ...nothing, createdAt, completedAt: null };
}
