/** Levels that are low and that nothing is being done about: what finds those whose trigger led nowhere. */
import { outboxChannel, replenishWakeUp } from '../outbox/outbox.js';
import type { Sql } from '../postgres/client.js';

/** Levels that one look takes on; the next look finds the others. */
const maxLevels = 1000;
/** A mark this old was made by a transaction that has ended, and every transaction that ran beside it has ended too. */
const settledSeconds = 60;
/** A product that never had stock may be about to have its first receipt. */
const firstReceiptSeconds = 60;

/**
 * Writes an outbox row for every level that is low, what is on order included, and that nothing is being done about: no
 * row waits, no replenishment runs or failed a moment ago, and there is a supplier, switched on, with all that an order
 * takes. A product that never had stock is a level of 0 at `main` if its reorder point was changed after it was created,
 * and no level otherwise: an imported catalogue orders nothing by itself. Returns how many. A level that is taken on
 * needlessly does no harm: the replenishment reads it again.
 *
 * Reads the levels that are marked as low, whatever else there is (table low_levels).
 * @param coolOffSeconds a replenishment that failed less than this ago keeps its level out
 */
export async function queueMissedLevels(sqlClient: Sql, coolOffSeconds: number): Promise<number> {
  await forgetRefilled(sqlClient);
  const [row] = await sqlClient<{ count: number }[]>`
    with missed as (
      insert into outbox (topic, sku, dedup_key, payload)
      select 'replenish', c.sku, c.sku || '/' || c.location || '/' || gen_random_uuid(),
             jsonb_build_object('sku', c.sku, 'location', c.location)
        from ${marked(sqlClient)}
       where ${asksForMore(sqlClient)}
         and (l.sku is not null or c.marked_at < now() - make_interval(secs => ${firstReceiptSeconds}))
         and is_low(p, coalesce(l.on_hand, 0) + coalesce((select sum(o.quantity) from purchase_orders o
                                                           where o.sku = c.sku and o.location = c.location
                                                             and o.status in ('ordered', 'shipped')), 0)::bigint)
         and not exists (select from replenishments r
                          where r.sku = c.sku and r.location = c.location and r.status = 'running')
         and not exists (select from replenishments r
                          where r.sku = c.sku and r.location = c.location and r.status = 'failed'
                            and r.updated_at > now() - make_interval(secs => ${coolOffSeconds}))
         and not exists (select from outbox b
                          where b.topic = 'replenish' and b.sku = c.sku and b.payload->>'location' = c.location
                            and b.delivered_at is null and b.abandoned_at is null)
       order by c.sku, c.location limit ${maxLevels}
          on conflict do nothing returning id)
    select count(*)::int as count,
           case when count(*) > 0 then pg_notify(${outboxChannel}, ${replenishWakeUp})::text end as told from missed`;
  return row?.count ?? 0;
}

/**
 * Removes the marks of levels that ask for nothing any more. A level that is being changed is passed over, so that this
 * waits for nobody; one that was changed since it was read has a new mark, and keeps it. A young mark stays: a sale that
 * began before the reorder point was raised may still be open, and leaves no mark of its own.
 */
async function forgetRefilled(sqlClient: Sql): Promise<void> {
  await sqlClient`
    with refilled as materialized (
      select c.sku, c.location, c.marked_at from ${marked(sqlClient)}
       where not ${asksForMore(sqlClient)} and c.marked_at < now() - make_interval(secs => ${settledSeconds})),
    unchanged as materialized (
      select c.sku, c.location from low_levels c join refilled r using (sku, location)
       where c.marked_at = r.marked_at for update of c skip locked)
    delete from low_levels c using unchanged u where c.sku = u.sku and c.location = u.location`;
}

/** Marked levels `c` with their level `l` (none: it never had stock), product `p` and supplier `v`. */
const marked = (sqlClient: Sql) => sqlClient`
  low_levels c
    left join stock_levels l on l.sku = c.sku and l.location = c.location
    left join products p on p.sku = c.sku
    left join suppliers v on v.id = p.supplier_id`;

/** Whether a marked level is low and its supplier can be asked for more. Levels that only a refused operation made never had stock. */
const asksForMore = (sqlClient: Sql) => sqlClient`
  coalesce(is_low(p, coalesce(l.on_hand, 0)) and v.active and p.max_stock is not null
           and p.supplier_price_amount is not null
           and (l.sku is not null or not exists (select from stock_levels o where o.sku = c.sku and o.changed_at > '-infinity')), false)`;
