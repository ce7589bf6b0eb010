-- outside a transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS "reservations_open_newest" ON "reservations" USING btree ("sku","location","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST) WHERE "reservations"."status" = 'pending';--> statement-breakpoint
DROP INDEX CONCURRENTLY IF EXISTS "reservations_open";
