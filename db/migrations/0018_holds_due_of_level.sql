-- outside a transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS "reservations_due_of_level" ON "reservations" USING btree ("sku","location","expires_at") WHERE "reservations"."status" = 'pending' and "reservations"."expires_at" is not null;
