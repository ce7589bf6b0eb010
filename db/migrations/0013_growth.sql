CREATE TABLE "ledger_verifications" (
	"id" text PRIMARY KEY NOT NULL,
	"status" text NOT NULL,
	"checked" bigint DEFAULT 0 NOT NULL,
	"total" bigint NOT NULL,
	"differences" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"difference_count" bigint DEFAULT 0 NOT NULL,
	"position" jsonb NOT NULL,
	"runner" text,
	"created_at" timestamp(6) with time zone NOT NULL,
	"completed_at" timestamp(6) with time zone,
	CONSTRAINT "ledger_verifications_status" CHECK ("ledger_verifications"."status" in ('running', 'completed', 'cancelled'))
);
--> statement-breakpoint
CREATE TABLE "low_levels" (
	"sku" text NOT NULL,
	"location" text NOT NULL,
	"marked_at" timestamp(6) with time zone NOT NULL,
	CONSTRAINT "low_levels_sku_location_pk" PRIMARY KEY("sku","location")
);
--> statement-breakpoint
DROP INDEX "manual_reviews_open";--> statement-breakpoint
DROP INDEX "orders_by_customer";--> statement-breakpoint
DROP INDEX "payments_by_customer";--> statement-breakpoint
DROP INDEX "suppliers_newest";--> statement-breakpoint
DROP INDEX "purchase_orders_newest";--> statement-breakpoint
DROP INDEX "replenishments_newest";--> statement-breakpoint
DROP INDEX "transfers_newest";--> statement-breakpoint
ALTER TABLE "products" ADD COLUMN "reorder_point_set_at" timestamp(6) with time zone;--> statement-breakpoint
CREATE INDEX "ledger_verifications_newest" ON "ledger_verifications" USING btree ("created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "api_keys_newest" ON "api_keys" USING btree ("created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "manual_reviews_by_status" ON "manual_reviews" USING btree ("status","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "manual_reviews_open_about" ON "manual_reviews" USING btree ("subject","kind") WHERE "manual_reviews"."status" = 'open';--> statement-breakpoint
CREATE INDEX "manual_reviews_open_of_workflow" ON "manual_reviews" USING btree ("workflow_id") WHERE "manual_reviews"."status" = 'open';--> statement-breakpoint
CREATE INDEX "orders_by_customer_and_status" ON "orders" USING btree ("customer_id","status","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST) WHERE "orders"."customer_id" is not null;--> statement-breakpoint
CREATE INDEX "locations_newest" ON "locations" USING btree ("created_at" DESC NULLS FIRST,"code" DESC NULLS FIRST) WHERE not "locations"."virtual";--> statement-breakpoint
CREATE INDEX "products_of_supplier" ON "products" USING btree ("supplier_id") WHERE "products"."supplier_id" is not null;--> statement-breakpoint
CREATE INDEX "purchase_orders_by_status" ON "purchase_orders" USING btree ("status","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "purchase_orders_of_sku" ON "purchase_orders" USING btree ("sku","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "purchase_orders_of_sku_by_status" ON "purchase_orders" USING btree ("sku","status","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "replenishments_by_status" ON "replenishments" USING btree ("status","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "replenishments_of_sku" ON "replenishments" USING btree ("sku","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "replenishments_of_sku_by_status" ON "replenishments" USING btree ("sku","status","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "transfers_by_status" ON "transfers" USING btree ("status","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "transfers_of_sku" ON "transfers" USING btree ("sku","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "transfers_of_sku_by_status" ON "transfers" USING btree ("sku","status","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "orders_by_customer" ON "orders" USING btree ("customer_id","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST) WHERE "orders"."customer_id" is not null;--> statement-breakpoint
CREATE INDEX "payments_by_customer" ON "payments" USING btree ("customer_id","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST) WHERE "payments"."customer_id" is not null;--> statement-breakpoint
CREATE INDEX "suppliers_newest" ON "suppliers" USING btree ("created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "purchase_orders_newest" ON "purchase_orders" USING btree ("created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "replenishments_newest" ON "replenishments" USING btree ("created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "transfers_newest" ON "transfers" USING btree ("created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
-- Levels that the sweep has to look at, marked in the transaction that makes them low, or that makes them worth a look: what
-- the sweep costs follows what is low and not what there is. A row that is there already is marked anew, so that a sweep that
-- looked at it before does not remove it.

-- Marks every level of these products that its supplier could refill. A product that never had stock counts as a level of 0
-- at `main` once its reorder point was changed after the product was created: an import alone orders nothing.
create function mark_levels(p_skus text[]) returns void language sql as $$
  insert into low_levels (sku, location, marked_at)
  select s.sku, s.location, clock_timestamp()
    from products p
    join lateral (
      select l.sku, l.location from stock_levels l join locations w on w.code = l.location and not w.virtual
       where l.sku = p.sku
      union all
      select p.sku, 'main'
       where p.reorder_point_set_at is not null and not exists (select from stock_levels l where l.sku = p.sku)) s on true
   where p.sku = any (p_skus) and p.reorder_point is not null and p.supplier_id is not null and p.status = 'active'
   order by s.sku, s.location
      on conflict (sku, location) do update set marked_at = excluded.marked_at;
$$;
--> statement-breakpoint
create or replace function stock_follows() returns trigger language plpgsql
-- As for stock_apply: the plans are made once a session.
set plan_cache_mode = force_generic_plan
as $$
begin
  -- Most changes leave enough: this is all that they cost.
  if not exists (select from (select sku, min(on_hand_after) as least from added where on_hand_delta <> 0 group by sku) a
                   join products p on p.sku = a.sku and a.least <= p.reorder_point) then return null; end if;

  insert into low_levels (sku, location, marked_at)
  select l.sku, l.location, clock_timestamp()
    from (select distinct on (sku, location) * from added where on_hand_delta <> 0 order by sku, location, at desc) l
    join products p on p.sku = l.sku and is_low(p, l.on_hand_after)
    join locations w on w.code = l.location and not w.virtual
   order by l.sku, l.location
      on conflict (sku, location) do update set marked_at = excluded.marked_at;

  insert into outbox (topic, sku, dedup_key, payload)
  select 'replenish', l.sku, l.sku || '/' || l.location || '/' || l.id, jsonb_build_object('sku', l.sku, 'location', l.location)
    from (select distinct on (sku, location) * from added where on_hand_delta <> 0 order by sku, location, at desc) l
    join products p on p.sku = l.sku and is_low(p, l.on_hand_after)
    join locations w on w.code = l.location and not w.virtual
   order by l.sku, l.location
      on conflict do nothing;
  if found then perform pg_notify('outbox', 'replenish'); end if;

  insert into outbox (topic, dedup_key, payload)
  select 'notice', 'low_stock/' || l.id, jsonb_build_object('template', 'low_stock', 'sku', l.sku, 'location', l.location,
         'onHand', l.on_hand_after, 'reorderPoint', p.reorder_point)
    from (select distinct on (sku, location) *, sum(on_hand_delta) over (partition by sku, location) as delta
            from added order by sku, location, at desc) l
    join products p on p.sku = l.sku and l.on_hand_after <= p.reorder_point and l.on_hand_after - l.delta > p.reorder_point
    join locations w on w.code = l.location and not w.virtual
      on conflict do nothing;
  if found then perform pg_notify('outbox', 'notice'); end if;
  return null;
end $$;
--> statement-breakpoint
-- A reorder point that is changed is meant: from then on the product is refilled even if it never had stock.
create function product_reorder_point_set() returns trigger language plpgsql as $$
begin
  new.reorder_point_set_at := clock_timestamp();
  return new;
end $$;
--> statement-breakpoint
create trigger products_reorder_point_set before update of reorder_point on products
  for each row when (old.reorder_point is distinct from new.reorder_point) execute function product_reorder_point_set();
--> statement-breakpoint
-- A product that is to be reordered from now on, or sooner than before, may be low already. All its levels are marked, the
-- low and the others: one that a sale lowers at this moment is judged by the sweep, when both are committed.
create or replace function product_follows() returns trigger language plpgsql as $$
begin
  perform mark_levels(array[new.sku]);
  insert into outbox (topic, sku, dedup_key, payload)
  select 'replenish', s.sku, s.sku || '/' || s.location || '/' || gen_random_uuid(),
         jsonb_build_object('sku', s.sku, 'location', s.location)
    from stock_levels s
    join locations w on w.code = s.location and not w.virtual
   where s.sku = new.sku and is_low(new, s.on_hand)
   order by s.sku, s.location
      on conflict do nothing;
  if found then perform pg_notify('outbox', 'replenish'); end if;
  return null;
end $$;
--> statement-breakpoint
drop trigger products_follows on products;
--> statement-breakpoint
create trigger products_follows after update of reorder_point, supplier_id, status, max_stock, supplier_price_amount on products
  for each row when ((old.reorder_point, old.supplier_id, old.status, old.max_stock, old.supplier_price_amount)
                     is distinct from (new.reorder_point, new.supplier_id, new.status, new.max_stock, new.supplier_price_amount))
  execute function product_follows();
--> statement-breakpoint
-- A supplier that is switched on can refill what became low meanwhile.
create function supplier_follows() returns trigger language plpgsql as $$
begin
  perform mark_levels(array(select sku from products where supplier_id = new.id and reorder_point is not null));
  return null;
end $$;
--> statement-breakpoint
create trigger suppliers_follows after update of active on suppliers
  for each row when (new.active and not old.active) execute function supplier_follows();
--> statement-breakpoint
insert into low_levels (sku, location, marked_at)
select l.sku, l.location, clock_timestamp()
  from stock_levels l
  join products p on p.sku = l.sku and is_low(p, l.on_hand)
  join locations w on w.code = l.location and not w.virtual;
