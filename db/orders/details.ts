/** Changes what an order carries besides its goods and its money. Its saga takes no part: none of it decides anything there. */
import type { OrderChange } from '../../domain/orders/details.js';
import type { StepBase } from '../../domain/steps.js';
import type { Sql } from '../postgres/client.js';

/**
 * Changes an order, its tags and its timeline in one transaction. Repeating a change changes nothing more. `absent`: there is
 * no such order, or its saga has not written it yet.
 */
export async function editOrder(
  sql: Sql,
  orderId: string,
  change: OrderChange,
  by: Pick<StepBase, 'actor' | 'traceId'>,
): Promise<'done' | 'absent'> {
  const [row] = await sql<{ outcome: 'done' | 'absent' }[]>`
    select order_edit(${orderId}, ${JSON.stringify(change)}::text::jsonb, ${JSON.stringify(by)}::text::jsonb) as outcome`;
  return row?.outcome ?? 'absent';
}
