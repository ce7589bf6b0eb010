/** Levels that are low, found by looking at them all: what finds the changes whose trigger was lost. */
import { mainLocation } from '../../domain/stock.js';
import { outboxChannel, replenishWakeUp } from '../outbox/outbox.js';
import type { Sql } from '../postgres/client.js';

/** Levels that one look takes on; the next look finds the others. */
const maxLevels = 1000;
/** A product that was just made may be about to have its first receipt. */
const firstReceiptSeconds = 60;

/**
 * Writes an outbox row for every level that is low, what is on order included, and that nothing is being done about: no
 * row waits, no replenishment runs or failed a moment ago, and there is a supplier, switched on, with all that an order
 * takes. A product that never had any stock is one of 0 at `main`. Returns how many. A level that is taken on needlessly
 * does no harm: the replenishment reads it again.
 * @param coolOffSeconds a replenishment that failed less than this ago keeps its level out
 */
export async function queueMissedLevels(sqlClient: Sql, coolOffSeconds: number): Promise<number> {
  const [row] = await sqlClient<{ count: number }[]>`
    with missed as (
      insert into outbox (topic, sku, dedup_key, payload)
      select 'replenish', s.sku, s.sku || '/' || s.location || '/' || gen_random_uuid(),
             jsonb_build_object('sku', s.sku, 'location', s.location)
        from products p
        join suppliers v on v.id = p.supplier_id and v.active
        join lateral (
          select l.sku, l.location, l.on_hand from stock_levels l where l.sku = p.sku
          union all
          select p.sku, ${mainLocation}, 0
           where p.created_at < clock_timestamp() - make_interval(secs => ${firstReceiptSeconds})
             and not exists (select from stock_levels l where l.sku = p.sku)) s on true
        join locations w on w.code = s.location and not w.virtual
       where p.reorder_point is not null and p.max_stock is not null and p.supplier_price_amount is not null
         and is_low(p, s.on_hand + coalesce((select sum(o.quantity) from purchase_orders o
                                              where o.sku = s.sku and o.location = s.location
                                                and o.status in ('ordered', 'shipped')), 0)::bigint)
         and not exists (select from replenishments r
                          where r.sku = s.sku and r.location = s.location
                            and (r.status = 'running'
                                 or r.status = 'failed' and r.updated_at > clock_timestamp() - make_interval(secs => ${coolOffSeconds})))
         and not exists (select from outbox b
                          where b.topic = 'replenish' and b.sku = s.sku and b.payload->>'location' = s.location
                            and b.delivered_at is null and b.abandoned_at is null)
       order by s.sku, s.location limit ${maxLevels}
          on conflict do nothing returning id)
    select count(*)::int as count,
           case when count(*) > 0 then pg_notify(${outboxChannel}, ${replenishWakeUp})::text end as told from missed`;
  return row?.count ?? 0;
}
