CREATE TABLE "api_keys" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"hash" text NOT NULL,
	"scopes" text[] NOT NULL,
	"created_at" timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL,
	"revoked_at" timestamp(6) with time zone,
	CONSTRAINT "api_keys_hash_unique" UNIQUE("hash")
);
--> statement-breakpoint
CREATE TABLE "api_processes" (
	"id" text PRIMARY KEY NOT NULL,
	"alive_until" timestamp(6) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"api_key_id" text NOT NULL,
	"key" text NOT NULL,
	"request_hash" text NOT NULL,
	"ids" jsonb NOT NULL,
	"held_by" text,
	"status" integer,
	"response" jsonb,
	"created_at" timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "idempotency_keys_api_key_id_key_pk" PRIMARY KEY("api_key_id","key")
);
--> statement-breakpoint
CREATE TABLE "locations" (
	"code" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"virtual" boolean DEFAULT false NOT NULL,
	"created_by" text NOT NULL,
	"created_at" timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "manual_reviews" (
	"id" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"subject" text NOT NULL,
	"detail" jsonb NOT NULL,
	"status" text DEFAULT 'open' NOT NULL,
	"attempts" integer NOT NULL,
	"last_error" text,
	"resolution" jsonb,
	"workflow_id" text,
	"created_at" timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "manual_reviews_status" CHECK ("manual_reviews"."status" in ('open', 'resolved'))
);
--> statement-breakpoint
CREATE TABLE "order_events" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "order_events_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"order_id" text NOT NULL,
	"from_status" text,
	"to_status" text NOT NULL,
	"reason" text,
	"actor" text NOT NULL,
	"trace_id" text,
	"at" timestamp(6) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "order_lines" (
	"order_id" text NOT NULL,
	"line" smallint NOT NULL,
	"sku" text NOT NULL,
	"quantity" bigint NOT NULL,
	"unit_price_amount" bigint NOT NULL,
	"unit_price_currency" text NOT NULL,
	"location" text NOT NULL,
	"reservation_id" text,
	CONSTRAINT "order_lines_order_id_line_pk" PRIMARY KEY("order_id","line")
);
--> statement-breakpoint
CREATE TABLE "order_steps" (
	"key" text PRIMARY KEY NOT NULL,
	"order_id" text NOT NULL,
	"result" jsonb NOT NULL,
	"at" timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "order_transitions" (
	"from_status" text NOT NULL,
	"to_status" text NOT NULL,
	CONSTRAINT "order_transitions_from_status_to_status_pk" PRIMARY KEY("from_status","to_status")
);
--> statement-breakpoint
CREATE TABLE "orders" (
	"id" text PRIMARY KEY NOT NULL,
	"status" text NOT NULL,
	"customer_id" text,
	"customer_name" text,
	"customer_email" text,
	"total_amount" bigint DEFAULT 0 NOT NULL,
	"currency" text DEFAULT 'USD' NOT NULL,
	"payment_id" text,
	"supplier_reference" text,
	"restock_given_up" boolean DEFAULT false NOT NULL,
	"expires_at" timestamp(6) with time zone,
	"cancel_reason" text,
	"failure_code" text,
	"failure_detail" text,
	"refused_payments" smallint DEFAULT 0 NOT NULL,
	"workflow_id" text NOT NULL,
	"created_at" timestamp(6) with time zone NOT NULL,
	"updated_at" timestamp(6) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "outbox" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "outbox_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"topic" text NOT NULL,
	"sku" text,
	"dedup_key" text NOT NULL,
	"payload" jsonb NOT NULL,
	"batch_id" text,
	"attempts" integer DEFAULT 0 NOT NULL,
	"last_error" text,
	"created_at" timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL,
	"claimed_until" timestamp(6) with time zone,
	"delivered_at" timestamp(6) with time zone,
	"abandoned_at" timestamp(6) with time zone,
	"sent_at" timestamp(6) with time zone
);
--> statement-breakpoint
CREATE TABLE "payment_transitions" (
	"from_status" text NOT NULL,
	"to_status" text NOT NULL,
	CONSTRAINT "payment_transitions_from_status_to_status_pk" PRIMARY KEY("from_status","to_status")
);
--> statement-breakpoint
CREATE TABLE "payments" (
	"id" text PRIMARY KEY NOT NULL,
	"status" text NOT NULL,
	"amount" bigint NOT NULL,
	"currency" text NOT NULL,
	"order_id" text,
	"customer_id" text,
	"customer_email" text,
	"reference" text,
	"card_used" text,
	"fraud_score" text,
	"attempts" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"choice" jsonb,
	"abandoned" text[] DEFAULT '{}' NOT NULL,
	"refunded" bigint DEFAULT 0 NOT NULL,
	"provider_reference" text,
	"failure_code" text,
	"failure_detail" text,
	"created_at" timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL,
	"updated_at" timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "payments_refunded" CHECK (0 <= "payments"."refunded" and "payments"."refunded" <= "payments"."amount")
);
--> statement-breakpoint
CREATE TABLE "products" (
	"sku" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"price_amount" bigint NOT NULL,
	"price_currency" text NOT NULL,
	"status" text DEFAULT 'active' NOT NULL,
	"reorder_point" bigint,
	"max_stock" bigint,
	"supplier_id" text,
	"supplier_price_amount" bigint,
	"supplier_price_currency" text,
	"created_by" text NOT NULL,
	"created_at" timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL,
	"updated_at" timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "products_status" CHECK ("products"."status" in ('draft', 'active', 'archived')),
	CONSTRAINT "products_price" CHECK ("products"."price_amount" between 0 and 99999999),
	CONSTRAINT "products_levels" CHECK ("products"."reorder_point" >= 0 and "products"."max_stock" > 0 and "products"."max_stock" >= "products"."reorder_point"),
	CONSTRAINT "products_supplier_price" CHECK (("products"."supplier_price_amount" is null) = ("products"."supplier_price_currency" is null) and "products"."supplier_price_amount" between 0 and 99999999)
);
--> statement-breakpoint
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
CREATE TABLE "replenishment_requests" (
	"id" text PRIMARY KEY NOT NULL,
	"sku" text NOT NULL,
	"location" text NOT NULL,
	"update_id" text NOT NULL,
	"created_at" timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "replenishments" (
	"id" text PRIMARY KEY NOT NULL,
	"sku" text NOT NULL,
	"location" text NOT NULL,
	"status" text NOT NULL,
	"quantity" bigint NOT NULL,
	"supplier_id" text NOT NULL,
	"unit_price_amount" bigint NOT NULL,
	"unit_price_currency" text NOT NULL,
	"purchase_order_id" text,
	"failure_code" text,
	"failure_detail" text,
	"created_at" timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL,
	"updated_at" timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "replenishments_status" CHECK ("replenishments"."status" in ('running', 'completed', 'failed'))
);
--> statement-breakpoint
CREATE TABLE "reservations" (
	"id" text PRIMARY KEY NOT NULL,
	"sku" text NOT NULL,
	"location" text NOT NULL,
	"quantity" bigint NOT NULL,
	"status" text DEFAULT 'pending' NOT NULL,
	"order_id" text,
	"reference" text,
	"expires_at" timestamp(6) with time zone,
	"created_at" timestamp(6) with time zone NOT NULL,
	"decided_at" timestamp(6) with time zone,
	CONSTRAINT "reservations_quantity" CHECK ("reservations"."quantity" > 0),
	CONSTRAINT "reservations_status" CHECK ("reservations"."status" in ('pending','confirmed','cancelled','expired'))
);
--> statement-breakpoint
CREATE TABLE "stock_ledger" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "stock_ledger_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"sku" text NOT NULL,
	"location" text NOT NULL,
	"kind" text NOT NULL,
	"on_hand_delta" bigint NOT NULL,
	"reserved_delta" bigint NOT NULL,
	"on_hand_after" bigint NOT NULL,
	"reserved_after" bigint NOT NULL,
	"reservation_id" text,
	"operation_key" text NOT NULL,
	"reference" text,
	"reason" text,
	"actor" text NOT NULL,
	"at" timestamp(6) with time zone NOT NULL,
	CONSTRAINT "stock_ledger_balances" CHECK (0 <= "stock_ledger"."reserved_after" and "stock_ledger"."reserved_after" <= "stock_ledger"."on_hand_after"),
	CONSTRAINT "stock_ledger_kind" CHECK ("stock_ledger"."kind" in ('received','reserved','confirmed','cancelled','expired','consumed','adjusted','transferred_out','transferred_in','lost','returned'))
);
--> statement-breakpoint
CREATE TABLE "stock_levels" (
	"sku" text NOT NULL,
	"location" text NOT NULL,
	"on_hand" bigint DEFAULT 0 NOT NULL,
	"reserved" bigint DEFAULT 0 NOT NULL,
	"changed_at" timestamp(6) with time zone DEFAULT '-infinity' NOT NULL,
	CONSTRAINT "stock_levels_sku_location_pk" PRIMARY KEY("sku","location"),
	CONSTRAINT "stock_levels_never_oversold" CHECK (0 <= "stock_levels"."reserved" and "stock_levels"."reserved" <= "stock_levels"."on_hand")
);
--> statement-breakpoint
CREATE TABLE "stock_operations" (
	"key" text PRIMARY KEY NOT NULL,
	"result" json NOT NULL,
	"at" timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL
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
CREATE TABLE "transfer_transitions" (
	"from_status" text NOT NULL,
	"to_status" text NOT NULL,
	CONSTRAINT "transfer_transitions_from_status_to_status_pk" PRIMARY KEY("from_status","to_status")
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
ALTER TABLE "order_events" ADD CONSTRAINT "order_events_order_id_orders_id_fk" FOREIGN KEY ("order_id") REFERENCES "public"."orders"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "order_lines" ADD CONSTRAINT "order_lines_order_id_orders_id_fk" FOREIGN KEY ("order_id") REFERENCES "public"."orders"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "products" ADD CONSTRAINT "products_supplier_id_suppliers_id_fk" FOREIGN KEY ("supplier_id") REFERENCES "public"."suppliers"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "stock_levels" ADD CONSTRAINT "stock_levels_sku_products_sku_fk" FOREIGN KEY ("sku") REFERENCES "public"."products"("sku") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "stock_levels" ADD CONSTRAINT "stock_levels_location_locations_code_fk" FOREIGN KEY ("location") REFERENCES "public"."locations"("code") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "idempotency_keys_age" ON "idempotency_keys" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "manual_reviews_newest" ON "manual_reviews" USING btree ("created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "manual_reviews_open" ON "manual_reviews" USING btree ("created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST) WHERE "manual_reviews"."status" = 'open';--> statement-breakpoint
CREATE INDEX "order_events_of_order" ON "order_events" USING btree ("order_id","id");--> statement-breakpoint
CREATE INDEX "orders_newest" ON "orders" USING btree ("created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "orders_by_status" ON "orders" USING btree ("status","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "orders_by_customer" ON "orders" USING btree ("customer_id","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "orders_due" ON "orders" USING btree ("expires_at") WHERE "orders"."status" in ('draft', 'reserved');--> statement-breakpoint
CREATE UNIQUE INDEX "outbox_once" ON "outbox" USING btree ("topic","dedup_key");--> statement-breakpoint
CREATE INDEX "outbox_waiting" ON "outbox" USING btree ("id") WHERE "outbox"."delivered_at" is null and "outbox"."abandoned_at" is null;--> statement-breakpoint
CREATE INDEX "outbox_waiting_of_sku" ON "outbox" USING btree ("sku","id") WHERE "outbox"."topic" = 'replenish' and "outbox"."delivered_at" is null and "outbox"."abandoned_at" is null;--> statement-breakpoint
CREATE UNIQUE INDEX "outbox_replenish_unseen" ON "outbox" USING btree ("sku",("payload" ->> 'location')) WHERE "outbox"."topic" = 'replenish' and "outbox"."claimed_until" is null;--> statement-breakpoint
CREATE INDEX "outbox_batch" ON "outbox" USING btree ("batch_id");--> statement-breakpoint
CREATE INDEX "payments_newest" ON "payments" USING btree ("created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "payments_by_customer" ON "payments" USING btree ("customer_id","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "payments_of_order" ON "payments" USING btree ("order_id");--> statement-breakpoint
CREATE INDEX "products_newest" ON "products" USING btree ("created_at" DESC NULLS FIRST,"sku" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "purchase_orders_newest" ON "purchase_orders" USING btree ("created_at" DESC NULLS LAST,"id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "purchase_orders_coming" ON "purchase_orders" USING btree ("sku","location") WHERE "purchase_orders"."status" in ('ordered', 'shipped');--> statement-breakpoint
CREATE INDEX "replenishments_newest" ON "replenishments" USING btree ("created_at" DESC NULLS LAST,"id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "replenishments_failed" ON "replenishments" USING btree ("sku","location","updated_at") WHERE "replenishments"."status" = 'failed';--> statement-breakpoint
CREATE UNIQUE INDEX "replenishments_running" ON "replenishments" USING btree ("sku","location") WHERE "replenishments"."status" = 'running';--> statement-breakpoint
CREATE INDEX "reservations_open" ON "reservations" USING btree ("sku","location") WHERE "reservations"."status" = 'pending';--> statement-breakpoint
CREATE INDEX "reservations_due" ON "reservations" USING btree ("expires_at") WHERE "reservations"."status" = 'pending' and "reservations"."expires_at" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "stock_ledger_history" ON "stock_ledger" USING btree ("sku","location","at" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "suppliers_newest" ON "suppliers" USING btree ("created_at" DESC NULLS LAST,"id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "transfers_newest" ON "transfers" USING btree ("created_at" DESC NULLS LAST,"id" DESC NULLS LAST);