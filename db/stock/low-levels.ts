/** Finds low levels without a replenishment, whose trigger came to nothing. */
import { outboxChannel, replenishWakeUp } from '../outbox/outbox.js';
import type { Sql } from '../postgres/client.js';

/** Levels that one call queues; the next call finds the others. */
const maxLevels = 1000;
/** The transaction that made a mark this old has ended, and so has every transaction that ran beside it. */
const settledSeconds = 60;
/** A product that never had stock may be about to have its first receipt. */
const firstReceiptSeconds = 60;

/**
 * Queues an outbox row for every level that is low even with the goods on order, and that nothing refills yet: no row
 * waits, no replenishment is running or has just failed, and an active supplier can take an order. A product without
 * any stock yet counts as a level of 0 at `main` if its reorder point was changed after it was created; otherwise it
 * counts as no level, so that an imported catalogue orders nothing by itself. Returns how many. A level queued
 * needlessly does no harm: the replenishment reads it again.
 *
 * Reads only the levels that are marked as low (table low_levels).
 * @param coolOffSeconds a level whose replenishment failed less than this ago is skipped
 */
export async function queueMissedLevels(sqlClient: Sql, coolOffSeconds: number): Promise<number> {
  await forgetRefilled(sqlClient);
  const [row] = await sqlClient<{ count: number }[]>`
    with missed as (
      insert into outbox (topic, sku, dedup_key, payload)
      select 'replenish', c.sku, c.sku || '/' || c.location || '/' || gen_random_uuid(),
             jsonb_build_object('sku', c.sku, 'location', c.location)
        from ${marked(sqlClient)}
       where ${needsRefill(sqlClient)}
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
           case when count(*) > 0 then pg_notify(${outboxChannel}, ${replenishWakeUp})::text end as written from missed`;
  return row?.count ?? 0;
}

/**
 * Removes the marks of levels that need no refill any more. Skips marks that are locked, so that it never waits, and
 * marks that are newer than the level it read. Keeps young marks: a sale that began before the reorder point was raised
 * may still be open, and leaves no mark of its own.
 */
async function forgetRefilled(sqlClient: Sql): Promise<void> {
  await sqlClient`
    with refilled as materialized (
      select c.sku, c.location, c.marked_at from ${marked(sqlClient)}
       where not ${needsRefill(sqlClient)} and c.marked_at < now() - make_interval(secs => ${settledSeconds})),
    unchanged as materialized (
      select c.sku, c.location from low_levels c join refilled r using (sku, location)
       where c.marked_at = r.marked_at for update of c skip locked)
    delete from low_levels c using unchanged u where c.sku = u.sku and c.location = u.location`;
}

/** Marks `c` with their level `l` (missing: it never had stock), product `p` and supplier `v`. */
const marked = (sqlClient: Sql) => sqlClient`
  low_levels c
    left join stock_levels l on l.sku = c.sku and l.location = c.location
    left join products p on p.sku = c.sku
    left join suppliers v on v.id = p.supplier_id`;

/**
 * Whether a marked level is low and its supplier can refill it. A level that only a refused operation created never had
 * stock.
 */
const needsRefill = (sqlClient: Sql) => sqlClient`
  coalesce(is_low(p, coalesce(l.on_hand, 0)) and v.active and p.max_stock is not null
           and p.supplier_price_amount is not null
           and (l.sku is not null or not exists (select from stock_levels o where o.sku = c.sku and o.changed_at > '-infinity')), false)`;
