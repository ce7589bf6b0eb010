/** Finds sagas whose business is not done, according to their rows. */
import { isSettled, orderStatuses } from '../../domain/orders/states.js';
import { isTransferEnded, transferStatuses } from '../../domain/transfers/states.js';
import type { Sql } from '../postgres/client.js';

/** The ids of those workflows (`order/…`, `payment/…`, `refund/…`, `transfer/…`, `subscription/…`, `verification/…`, `reconciliation/…`, `processor-sync/…`, `test-clock/…`) whose business is not done. */
export async function unsettledSagas(sql: Sql, workflowIds: readonly string[]): Promise<readonly string[]> {
  if (workflowIds.length === 0) return [];
  const rows = await sql<{ workflowId: string }[]>`
    select w.id as "workflowId" from unnest(${workflowIds as string[]}::text[]) as w(id)
     where not exists (select from orders o where o.id = substr(w.id, 7) and w.id like 'order/%'
                                              and o.status = any(${orderStatuses.filter(isSettled)}))
       and not exists (select from payments p where p.id = substr(w.id, 9) and w.id like 'payment/%'
                                                and p.status <> 'pending')
       and not exists (select from refunds r where r.id = substr(w.id, 8) and w.id like 'refund/%'
                                               and r.status <> 'pending')
       and not exists (select from transfers t where t.id = substr(w.id, 10) and w.id like 'transfer/%'
                                                 and t.status = any(${transferStatuses.filter(isTransferEnded)}))
       and not exists (select from subscriptions s where s.id = substr(w.id, 14) and w.id like 'subscription/%'
                                                     and s.status = 'cancelled')
       and not exists (select from ledger_verifications v where v.id = substr(w.id, 14) and w.id like 'verification/%'
                                                            and v.status <> 'running')
       and not exists (select from reconciliations c where c.id = substr(w.id, 16) and w.id like 'reconciliation/%'
                                                       and c.status <> 'running')
       and not (w.id like 'test-clock/%'
                and not exists (select from test_clocks k where k.id = substr(w.id, 12) and k.target is not null))
       and not (w.id like 'processor-sync/%'
                and not exists (select from outbox b where b.batch_id = substr(w.id, 16) and b.sent_at is null))`;
  return rows.map(({ workflowId }) => workflowId);
}
