CREATE TABLE "sql_functions" (
	"file" text PRIMARY KEY NOT NULL,
	"hash" text,
	"superseded" text[] DEFAULT '{}' NOT NULL
);
--> statement-breakpoint
ALTER TABLE "order_events" ADD COLUMN "facts" jsonb;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "failure_facts" jsonb;--> statement-breakpoint
ALTER TABLE "transfers" ADD COLUMN "failure_facts" jsonb;