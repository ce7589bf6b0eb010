-- outside a transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS "reservations_due_of_level" ON "reservations" USING btree ("sku","location",coalesce("expires_at", 'infinity')) WHERE "reservations"."status" = 'pending' and coalesce("reservations"."expires_at", 'infinity') <> 'infinity';
