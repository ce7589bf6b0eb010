/** The audit log. */
import { type AuditRow, listAudit } from '../../db/audit/audit.js';
import type { ApiDeps } from '../deps.js';
import { pageRequest, refuseCursor, viewPage } from '../http/pages.js';
import { answer } from '../http/reply.js';
import { type Route, route } from '../http/route.js';
import { pageExample } from '../openapi/examples/catalogue.js';
import { auditExample } from '../openapi/examples/controls.js';
import { type AuditEntry, auditPage, auditQuery } from './schemas.js';

export function auditRoutes({ connection: { db } }: ApiDeps): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/audit',
      tag: 'Audit',
      summary: 'Read the audit log',
      description:
        'Lists who did what, newest first: payment attempts and their decisions, refunds, reviews, keys, fraud rules, and changes of products, locations and suppliers. Entries are written in the transaction of what they report and never change. They hold no card data and no personal data. Filters combine.',
      example: { answer: pageExample(auditExample) },
      scope: 'admin',
      query: auditQuery,
      answers: { 200: auditPage },
      handler: async ({ query }) => {
        const page = pageRequest('audit', query);
        if (page.kind === 'refused') return page;
        // 15 digits: within a bigint of Postgres.
        if (page.cursor !== null && !/^\d{1,15}$/.test(page.cursor.id)) return refuseCursor();
        return answer(200, viewPage(await listAudit(db, { ...query, ...page }), viewEntry));
      },
    }),
  ];
}

function viewEntry({ at, actor, action, subject, outcome, requestId, detail }: AuditRow): AuditEntry {
  return { at, actor, action, subject, outcome, requestId, detail };
}
