-- Triggers of products and suppliers read stock_levels: their writers end before it is locked, so that none waits in a circle.
LOCK TABLE "suppliers", "products" IN SHARE ROW EXCLUSIVE MODE;--> statement-breakpoint
ALTER TABLE "stock_levels" ADD COLUMN "open_holds" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
-- Nothing changes stock from here to the commit.
update stock_levels l set open_holds = h.count
  from (select sku, location, count(*) from reservations where status = 'pending' group by sku, location) h
 where l.sku = h.sku and l.location = h.location;
--> statement-breakpoint
-- 0.1.0 reordered products that never had stock whenever they were low. Where it did, it continues (docs/adr/0018).
update products p set reorder_point_set_at = clock_timestamp()
 where reorder_point is not null and reorder_point_set_at is null
   and exists (select from replenishments r where r.sku = p.sku and r.location = 'main')
   and not exists (select from stock_levels l where l.sku = p.sku and l.changed_at > '-infinity');
--> statement-breakpoint
-- Those, and levels that became low while 0014_growth filled this table, through functions that did not mark them.
insert into low_levels (sku, location, marked_at)
select l.sku, l.location, clock_timestamp()
  from stock_levels l
  join products p on p.sku = l.sku and is_low(p, l.on_hand)
  join locations w on w.code = l.location and not w.virtual
 where l.changed_at > '-infinity'
 union all
select p.sku, 'main', clock_timestamp() from products p
 where p.reorder_point_set_at is not null and is_low(p, 0)
   and not exists (select from stock_levels l where l.sku = p.sku and l.changed_at > '-infinity')
    on conflict do nothing;
