/** Why an order, a transfer or a replenishment failed. */
import { z } from 'zod';
import type { Shape } from '../http/route.js';
import { shown } from '../http/schemas.js';

/** The code and the reason of a failure; null where nothing failed. */
export const failure = z
  .object({
    code: shown('A stable code, as in problem documents.', 'insufficient_stock'),
    detail: shown('What happened, for a person.', 'insufficient stock: available=1, requested=2'),
  })
  .nullable()
  .openapi({ description: 'Why it failed; null where it did not.' });

/** The failure that a row tells of; null where it tells of none. */
export function viewFailure(row: {
  readonly failureCode: string | null;
  readonly failureDetail: string | null;
}): Shape<typeof failure> {
  return row.failureCode === null ? null : { code: row.failureCode, detail: row.failureDetail ?? '' };
}
