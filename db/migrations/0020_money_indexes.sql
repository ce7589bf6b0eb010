-- outside a transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS "orders_by_channel" ON "orders" USING btree ("channel","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST) WHERE "orders"."channel" is not null;--> statement-breakpoint
CREATE INDEX CONCURRENTLY IF NOT EXISTS "orders_by_external_reference" ON "orders" USING btree ("external_reference","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST) WHERE "orders"."external_reference" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS "orders_external_reference" ON "orders" USING btree (coalesce("channel", ''),"external_reference") WHERE "orders"."external_reference" is not null and "orders"."status" <> 'failed';--> statement-breakpoint
CREATE INDEX CONCURRENTLY IF NOT EXISTS "payments_at_processor" ON "payments" USING btree ("provider_reference","gateway") WHERE "payments"."provider_reference" is not null;
