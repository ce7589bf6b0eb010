CREATE TABLE "purchase_orders" (
	"id" text PRIMARY KEY NOT NULL,
	"supplier_id" text NOT NULL,
	"supplier_order_id" text NOT NULL,
	"status" text NOT NULL,
	"sku" text NOT NULL,
	"location" text NOT NULL,
	"quantity" bigint NOT NULL,
	"unit_price_amount" bigint NOT NULL,
	"unit_price_currency" text NOT NULL,
	"replenishment_id" text NOT NULL,
	"received_at" timestamp(6) with time zone,
	"created_at" timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL,
	"updated_at" timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "purchase_orders_status" CHECK ("purchase_orders"."status" in ('ordered','shipped','delivered','cancelled','failed'))
);
--> statement-breakpoint
CREATE TABLE "replenishments" (
	"id" text PRIMARY KEY NOT NULL,
	"sku" text NOT NULL,
	"location" text NOT NULL,
	"status" text NOT NULL,
	"quantity" bigint NOT NULL,
	"purchase_order_id" text,
	"failure_code" text,
	"failure_detail" text,
	"created_at" timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL,
	"updated_at" timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "replenishments_status" CHECK ("replenishments"."status" in ('running', 'completed', 'failed'))
);
--> statement-breakpoint
CREATE TABLE "suppliers" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"active" boolean NOT NULL,
	"min_order_quantity" bigint NOT NULL,
	"max_order_quantity" bigint NOT NULL,
	"url" text,
	"created_by" text NOT NULL,
	"created_at" timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL,
	"updated_at" timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "suppliers_quantities" CHECK (0 < "suppliers"."min_order_quantity" and "suppliers"."min_order_quantity" <= "suppliers"."max_order_quantity")
);
--> statement-breakpoint
CREATE TABLE "transfer_steps" (
	"key" text PRIMARY KEY NOT NULL,
	"transfer_id" text NOT NULL,
	"result" jsonb NOT NULL,
	"at" timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "transfers" (
	"id" text PRIMARY KEY NOT NULL,
	"sku" text NOT NULL,
	"quantity" bigint NOT NULL,
	"from_location" text NOT NULL,
	"to_location" text NOT NULL,
	"mode" text NOT NULL,
	"status" text NOT NULL,
	"reservation_id" text,
	"received" bigint,
	"reason" text,
	"failure_code" text,
	"failure_detail" text,
	"workflow_id" text NOT NULL,
	"created_at" timestamp(6) with time zone NOT NULL,
	"updated_at" timestamp(6) with time zone NOT NULL,
	CONSTRAINT "transfers_mode" CHECK ("transfers"."mode" in ('immediate', 'shipped')),
	CONSTRAINT "transfers_status" CHECK ("transfers"."status" in ('pending','reserved','in_transit','completed','cancelled','failed','manual_review')),
	CONSTRAINT "transfers_received" CHECK ("transfers"."received" is null or "transfers"."received" between 0 and "transfers"."quantity")
);
--> statement-breakpoint
ALTER TABLE "outbox" ADD COLUMN "sku" text;--> statement-breakpoint
ALTER TABLE "outbox" ADD COLUMN "attempts" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "outbox" ADD COLUMN "last_error" text;--> statement-breakpoint
CREATE INDEX "purchase_orders_newest" ON "purchase_orders" USING btree ("created_at" DESC NULLS LAST,"id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "purchase_orders_coming" ON "purchase_orders" USING btree ("sku","location") WHERE "purchase_orders"."status" in ('ordered', 'shipped');--> statement-breakpoint
CREATE INDEX "replenishments_newest" ON "replenishments" USING btree ("created_at" DESC NULLS LAST,"id" DESC NULLS LAST);--> statement-breakpoint
CREATE UNIQUE INDEX "replenishments_running" ON "replenishments" USING btree ("sku","location") WHERE "replenishments"."status" = 'running';--> statement-breakpoint
CREATE INDEX "suppliers_newest" ON "suppliers" USING btree ("created_at" DESC NULLS LAST,"id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "transfers_newest" ON "transfers" USING btree ("created_at" DESC NULLS LAST,"id" DESC NULLS LAST);