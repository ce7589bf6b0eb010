import { z } from 'zod';
import type { Shape } from '../http/route.js';
import { anyTime, pageOf, pageQuery, shown, shownOrNull, text, time } from '../http/schemas.js';

export const auditQuery = z.strictObject({
  subject: text(255)
    .openapi({ description: 'Only what happened to this.', example: 'payment/pay_01a1fca5052e708db2f67afe7cac72b9' })
    .optional(),
  actor: text(255)
    .openapi({ description: 'Only what this actor did.', example: 'api_key:key_01a1fca5052e708db2f67afe7cac72b9' })
    .optional(),
  action: text(100).openapi({ description: 'Only this action.', example: 'payment.decided' }).optional(),
  from: anyTime.openapi({ description: 'Only what happened at this time or later.' }).optional(),
  to: anyTime.openapi({ description: 'Only what happened before this time.' }).optional(),
  ...pageQuery,
});

const auditEntry = z
  .object({
    at: time.openapi({ description: 'When it happened.' }),
    actor: shown(
      'Who did it: an API key, a workflow, a card processor.',
      'api_key:key_01a1fca5052e708db2f67afe7cac72b9',
    ),
    action: shown('What was done.', 'payment.decided'),
    subject: shown('To what, by kind and id.', 'payment/pay_01a1fca5052e708db2f67afe7cac72b9'),
    outcome: shown('How it ended.', 'captured'),
    requestId: shownOrNull(
      'The request that asked for it, as in `X-Request-Id`; null: none.',
      'req_01a1fca5052e708db2f67afe7cac72b9',
    ),
    detail: z
      .record(z.string(), z.unknown())
      .openapi({ description: 'Codes, ids and figures. Later releases add members.', example: { code: null } }),
  })
  .openapi('AuditEntry', { description: 'One entry of the audit log. It never changes.' });
export type AuditEntry = Shape<typeof auditEntry>;

export const auditPage = pageOf('AuditEntry', auditEntry);
