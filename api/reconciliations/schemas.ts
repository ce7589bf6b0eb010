import { z } from 'zod';
import { gatewayNames } from '../../domain/payments/gateways.js';
import { discrepancyActions, discrepancyKinds, reconciliationStatuses } from '../../domain/payments/reconciliation.js';
import type { Shape } from '../http/route.js';
import { anyTime, createdAt, id, pageOf, pageQuery, shownOrNull, time } from '../http/schemas.js';

export const reconciliationId = z.strictObject({ id: id('rcn') });
export const reconciliationQuery = z.strictObject(pageQuery);

export const newReconciliation = z
  .strictObject({
    from: anyTime.openapi({ description: 'Where the window begins.', example: '2026-11-20T00:00:00Z' }),
    to: anyTime.openapi({ description: 'Where the window ends, excluded.', example: '2026-11-21T00:00:00Z' }),
  })
  .refine(({ from, to }) => from === '' || to === '' || from < to, { path: ['to'], message: 'must be after `from`' });

const side = (whose: string) =>
  z
    .record(z.string(), z.unknown())
    .nullable()
    .openapi({
      description: `What ${whose} books say of what differs; null: nothing.`,
      example: { status: 'captured', amount: 4918, currency: 'USD' },
    });

const discrepancy = z.object({
  kind: z.enum(discrepancyKinds).openapi({ description: 'What differs.' }),
  gateway: z.enum(gatewayNames).openapi({ description: 'The processor.' }),
  paymentId: shownOrNull('Our payment; null: none of ours.', null),
  providerReference: shownOrNull("The processor's id of the payment, the refund or the dispute.", null),
  ours: side('our'),
  theirs: side("the processor's"),
  action: z.enum(discrepancyActions).openapi({
    description:
      '`repaired`: our books were brought into line, or an authorization was voided. `review`: a person decides. `none`: nothing is to be done.',
  }),
});

export const reconciliation = z
  .object({
    id: id('rcn'),
    status: z.enum(reconciliationStatuses).openapi({ description: 'Whether it runs, is complete, or has failed.' }),
    from: time.openapi({ description: 'Where the window begins.' }),
    to: time.openapi({ description: 'Where the window ends, excluded.' }),
    compared: z.int().min(0).openapi({ description: 'How many payments have been compared.', example: 412 }),
    discrepancyCount: z.int().min(0).openapi({ description: 'How many discrepancies were found.', example: 1 }),
    discrepancies: z.array(discrepancy).openapi({
      description:
        'The first 1000 discrepancies, and 100 with action `none`; in a list of reconciliations the first 20.',
    }),
    failure: shownOrNull('Why it could not be completed; null: nothing failed.', null),
    createdAt,
    completedAt: time.nullable().openapi({ description: 'When it ended; null while it runs.' }),
  })
  .openapi('Reconciliation', { description: "A comparison of payments with the processors' books." });

export type Reconciliation = Shape<typeof reconciliation>;
export const reconciliationPage = pageOf('Reconciliation', reconciliation);
