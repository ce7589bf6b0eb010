CREATE TABLE "order_tags" (
	"tag" text NOT NULL,
	"created_at" timestamp (6) with time zone NOT NULL,
	"order_id" text NOT NULL,
	CONSTRAINT "order_tags_order_id_tag_pk" PRIMARY KEY("order_id","tag")
);
--> statement-breakpoint
CREATE TABLE "processor_events" (
	"gateway" text NOT NULL,
	"event_id" text NOT NULL,
	"type" text NOT NULL,
	"provider_id" text,
	"received_at" timestamp (6) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "processor_events_gateway_event_id_pk" PRIMARY KEY("gateway","event_id")
);
--> statement-breakpoint
CREATE TABLE "provider_operations" (
	"payment_id" text NOT NULL,
	"card" text NOT NULL,
	"gateway" text NOT NULL,
	"provider_id" text NOT NULL,
	"at" timestamp (6) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "provider_operations_payment_id_card_pk" PRIMARY KEY("payment_id","card")
);
--> statement-breakpoint
CREATE TABLE "refunds" (
	"id" text PRIMARY KEY NOT NULL,
	"order_id" text,
	"payment_id" text,
	"gateway" text,
	"amount" bigint NOT NULL,
	"currency" text NOT NULL,
	"status" text NOT NULL,
	"origin" text NOT NULL,
	"lines" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"charges" boolean DEFAULT false NOT NULL,
	"restock" boolean DEFAULT false NOT NULL,
	"restocked" boolean DEFAULT false NOT NULL,
	"reason" text NOT NULL,
	"attempts" smallint DEFAULT 0 NOT NULL,
	"provider_reference" text,
	"failure_code" text,
	"failure_detail" text,
	"actor" text NOT NULL,
	"trace_id" text,
	"created_at" timestamp (6) with time zone NOT NULL,
	"settled_at" timestamp (6) with time zone,
	CONSTRAINT "refunds_amount" CHECK ("refunds"."amount" >= 0),
	CONSTRAINT "refunds_status" CHECK ("refunds"."status" in ('pending', 'succeeded', 'failed'))
);
--> statement-breakpoint
ALTER TABLE "payments" DROP CONSTRAINT "payments_refunded";--> statement-breakpoint
ALTER TABLE "order_lines" ADD COLUMN "name" text;--> statement-breakpoint
ALTER TABLE "order_lines" ADD COLUMN "discount" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "order_lines" ADD COLUMN "tax" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "order_lines" ADD COLUMN "refunded_units" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
-- Orders from before have none: filling it in would lock them all.
ALTER TABLE "orders" ADD COLUMN "subtotal_amount" bigint;--> statement-breakpoint
ALTER TABLE "orders" ALTER COLUMN "subtotal_amount" SET DEFAULT 0;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "discount_amount" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "tax_amount" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "charge_amount" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "taxes_included" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "charges" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "refunded_amount" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "refund_reserved" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "charges_refunded" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "channel" text;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "external_reference" text;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "shipping_address" jsonb;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "billing_address" jsonb;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "metadata" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "tags" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "note" text;--> statement-breakpoint
ALTER TABLE "payments" ADD COLUMN "gateway" text DEFAULT 'sandbox' NOT NULL;--> statement-breakpoint
ALTER TABLE "payments" ADD COLUMN "refund_reserved" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "payments" ADD COLUMN "disputed" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "payments" ADD COLUMN "refundable" boolean DEFAULT true NOT NULL;--> statement-breakpoint
ALTER TABLE "order_tags" ADD CONSTRAINT "order_tags_order_id_orders_id_fk" FOREIGN KEY ("order_id") REFERENCES "public"."orders"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "order_tags_newest" ON "order_tags" USING btree ("tag","created_at" DESC NULLS FIRST,"order_id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "processor_events_age" ON "processor_events" USING btree ("received_at");--> statement-breakpoint
CREATE INDEX "provider_operations_by_id" ON "provider_operations" USING btree ("gateway","provider_id");--> statement-breakpoint
CREATE INDEX "refunds_newest" ON "refunds" USING btree ("created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "refunds_by_status" ON "refunds" USING btree ("status","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "refunds_of_order" ON "refunds" USING btree ("order_id","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST) WHERE "refunds"."order_id" is not null;--> statement-breakpoint
CREATE INDEX "refunds_of_payment" ON "refunds" USING btree ("payment_id","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST) WHERE "refunds"."payment_id" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "refunds_at_processor" ON "refunds" USING btree ("gateway","provider_reference") WHERE "refunds"."provider_reference" is not null;--> statement-breakpoint
ALTER TABLE "order_lines" ADD CONSTRAINT "order_lines_discount" CHECK (0 <= "order_lines"."discount" and "order_lines"."discount" <= "order_lines"."quantity" * "order_lines"."unit_price_amount");--> statement-breakpoint
ALTER TABLE "order_lines" ADD CONSTRAINT "order_lines_tax" CHECK ("order_lines"."tax" >= 0);--> statement-breakpoint
ALTER TABLE "order_lines" ADD CONSTRAINT "order_lines_refunded" CHECK (0 <= "order_lines"."refunded_units" and "order_lines"."refunded_units" <= "order_lines"."quantity");--> statement-breakpoint
ALTER TABLE "orders" ADD CONSTRAINT "orders_total" CHECK ("orders"."total_amount" = "orders"."subtotal_amount" - "orders"."discount_amount" + "orders"."charge_amount"
        + case when "orders"."taxes_included" then 0 else "orders"."tax_amount" end);--> statement-breakpoint
ALTER TABLE "orders" ADD CONSTRAINT "orders_amounts" CHECK ("orders"."subtotal_amount" >= 0 and "orders"."discount_amount" between 0 and "orders"."subtotal_amount"
        and "orders"."tax_amount" >= 0 and "orders"."charge_amount" >= 0);--> statement-breakpoint
ALTER TABLE "orders" ADD CONSTRAINT "orders_refunded" CHECK ("orders"."refunded_amount" >= 0 and "orders"."refund_reserved" >= 0
        and "orders"."refunded_amount" + "orders"."refund_reserved" <= "orders"."total_amount");--> statement-breakpoint
ALTER TABLE "payments" ADD CONSTRAINT "payments_refunded" CHECK (0 <= "payments"."refunded" and 0 <= "payments"."refund_reserved" and 0 <= "payments"."disputed"
        and "payments"."refunded" + "payments"."refund_reserved" + "payments"."disputed" <= "payments"."amount");
--> statement-breakpoint
-- Ways that domain/orders/states.ts and domain/payments/states.ts have gained: a refund may fail after it succeeded.
insert into order_transitions (from_status, to_status) values
  ('partially_refunded', 'confirmed'), ('refunded', 'confirmed'), ('refunded', 'partially_refunded');
--> statement-breakpoint
insert into payment_transitions (from_status, to_status) values
  ('partially_refunded', 'captured'), ('refunded', 'captured'), ('refunded', 'partially_refunded');
