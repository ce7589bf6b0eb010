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
-- Levels that are low now; from here on triggers keep the table (db/functions/04_stock_follows.sql).
insert into low_levels (sku, location, marked_at)
select l.sku, l.location, clock_timestamp()
  from stock_levels l
  join products p on p.sku = l.sku and is_low(p, l.on_hand)
  join locations w on w.code = l.location and not w.virtual;
--> statement-breakpoint
-- Whatever an order at the supplier takes is a reason to look at the level again.
create or replace trigger products_follows
  after update of reorder_point, supplier_id, status, max_stock, supplier_price_amount on products
  for each row when ((old.reorder_point, old.supplier_id, old.status, old.max_stock, old.supplier_price_amount)
                     is distinct from (new.reorder_point, new.supplier_id, new.status, new.max_stock, new.supplier_price_amount))
  execute function product_follows();
