CREATE TABLE "audit_log" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "audit_log_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"at" timestamp (6) with time zone DEFAULT clock_timestamp() NOT NULL,
	"actor" text NOT NULL,
	"action" text NOT NULL,
	"subject" text NOT NULL,
	"outcome" text NOT NULL,
	"request_id" text,
	"detail" jsonb DEFAULT '{}'::jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "customer_spend" (
	"payment_id" text PRIMARY KEY NOT NULL,
	"customer_id" text NOT NULL,
	"amount" bigint NOT NULL,
	"currency" text NOT NULL,
	"released" boolean DEFAULT false NOT NULL,
	"at" timestamp (6) with time zone DEFAULT clock_timestamp() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "discrepancies" (
	"reconciliation_id" text NOT NULL,
	"key" text NOT NULL,
	"kind" text NOT NULL,
	"gateway" text NOT NULL,
	"payment_id" text,
	"provider_reference" text,
	"ours" jsonb,
	"theirs" jsonb,
	"action" text NOT NULL,
	CONSTRAINT "discrepancies_reconciliation_id_key_pk" PRIMARY KEY("reconciliation_id","key")
);
--> statement-breakpoint
CREATE TABLE "fraud_rules" (
	"name" text PRIMARY KEY NOT NULL,
	"position" smallint NOT NULL,
	"kind" text NOT NULL,
	"threshold" double precision NOT NULL,
	"weight" double precision NOT NULL,
	"enabled" boolean NOT NULL
);
--> statement-breakpoint
CREATE TABLE "payment_attempts" (
	"payment_id" text NOT NULL,
	"card" text NOT NULL,
	"card_hash" text,
	"customer_id" text,
	"amount" bigint NOT NULL,
	"currency" text NOT NULL,
	"score" double precision,
	"rules" text[] DEFAULT '{}' NOT NULL,
	"outcome" text,
	"at" timestamp (6) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "payment_attempts_payment_id_card_pk" PRIMARY KEY("payment_id","card")
);
--> statement-breakpoint
CREATE TABLE "reconciliations" (
	"id" text PRIMARY KEY NOT NULL,
	"status" text NOT NULL,
	"from_at" timestamp (6) with time zone NOT NULL,
	"to_at" timestamp (6) with time zone NOT NULL,
	"compared" integer DEFAULT 0 NOT NULL,
	"found" integer DEFAULT 0 NOT NULL,
	"progress" jsonb DEFAULT '{}' NOT NULL,
	"runner" text,
	"failure" text,
	"actor" text NOT NULL,
	"created_at" timestamp (6) with time zone DEFAULT clock_timestamp() NOT NULL,
	"completed_at" timestamp (6) with time zone,
	CONSTRAINT "reconciliations_span" CHECK ("reconciliations"."from_at" < "reconciliations"."to_at"),
	CONSTRAINT "reconciliations_status" CHECK ("reconciliations"."status" in ('running', 'completed', 'failed'))
);
--> statement-breakpoint
CREATE TABLE "reconciliation_entries" (
	"reconciliation_id" text NOT NULL,
	"gateway" text NOT NULL,
	"kind" text NOT NULL,
	"reference" text NOT NULL,
	"subject" text NOT NULL,
	"payment_id" text,
	"entry" jsonb NOT NULL,
	CONSTRAINT "reconciliation_entries_pk" PRIMARY KEY("reconciliation_id","gateway","kind","reference")
);
--> statement-breakpoint
CREATE TABLE "secrets" (
	"name" text PRIMARY KEY NOT NULL,
	"value" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "billing_records" (
	"id" text PRIMARY KEY NOT NULL,
	"subscription_id" text NOT NULL,
	"kind" text NOT NULL,
	"series" smallint DEFAULT 0 NOT NULL,
	"period_start" timestamp (6) with time zone NOT NULL,
	"period_end" timestamp (6) with time zone NOT NULL,
	"amount" bigint NOT NULL,
	"credit" bigint NOT NULL,
	"charged" bigint NOT NULL,
	"payment_id" text,
	"status" text NOT NULL,
	"attempts" smallint DEFAULT 0 NOT NULL,
	"lines" jsonb NOT NULL,
	"created_at" timestamp (6) with time zone NOT NULL,
	CONSTRAINT "billing_records_sum" CHECK ("billing_records"."amount" = "billing_records"."credit" + "billing_records"."charged" and "billing_records"."charged" >= 0),
	CONSTRAINT "billing_records_period" CHECK ("billing_records"."period_start" < "billing_records"."period_end"),
	CONSTRAINT "billing_records_status" CHECK ("billing_records"."status" in ('open', 'paid', 'failed', 'void')),
	CONSTRAINT "billing_records_kind" CHECK ("billing_records"."kind" in ('period', 'proration'))
);
--> statement-breakpoint
CREATE TABLE "subscription_steps" (
	"key" text PRIMARY KEY NOT NULL,
	"subscription_id" text NOT NULL,
	"result" jsonb NOT NULL,
	"at" timestamp (6) with time zone DEFAULT clock_timestamp() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "subscription_transitions" (
	"from_status" text NOT NULL,
	"to_status" text NOT NULL,
	CONSTRAINT "subscription_transitions_from_status_to_status_pk" PRIMARY KEY("from_status","to_status")
);
--> statement-breakpoint
CREATE TABLE "subscriptions" (
	"id" text PRIMARY KEY NOT NULL,
	"status" text NOT NULL,
	"customer_id" text NOT NULL,
	"email" text,
	"plan_amount" bigint NOT NULL,
	"plan_currency" text NOT NULL,
	"plan_interval" text NOT NULL,
	"gateway" text NOT NULL,
	"card" jsonb,
	"backup_card" jsonb,
	"anchor" timestamp (6) with time zone NOT NULL,
	"anchor_day" smallint,
	"period_start" timestamp (6) with time zone,
	"period_end" timestamp (6) with time zone,
	"period_number" integer DEFAULT 0 NOT NULL,
	"series" smallint DEFAULT 0 NOT NULL,
	"cancel_at_period_end" boolean DEFAULT false NOT NULL,
	"credit_balance" bigint DEFAULT 0 NOT NULL,
	"test_clock" text,
	"next_at" timestamp (6) with time zone,
	"pending" jsonb,
	"version" integer DEFAULT 0 NOT NULL,
	"failure_code" text,
	"failure_detail" text,
	"created_at" timestamp (6) with time zone NOT NULL,
	"updated_at" timestamp (6) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "subscriptions_status" CHECK ("subscriptions"."status" in ('scheduled', 'active', 'past_due', 'unpaid', 'paused', 'cancelled')),
	CONSTRAINT "subscriptions_interval" CHECK ("subscriptions"."plan_interval" in ('day', 'week', 'month', 'year')),
	CONSTRAINT "subscriptions_amounts" CHECK ("subscriptions"."plan_amount" >= 0 and "subscriptions"."credit_balance" >= 0),
	CONSTRAINT "subscriptions_period" CHECK ("subscriptions"."period_start" < "subscriptions"."period_end")
);
--> statement-breakpoint
CREATE TABLE "test_clocks" (
	"id" text PRIMARY KEY NOT NULL,
	"now" timestamp (6) with time zone NOT NULL,
	"target" timestamp (6) with time zone,
	"created_at" timestamp (6) with time zone DEFAULT clock_timestamp() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "payments" ADD COLUMN "subscription_id" text;--> statement-breakpoint
ALTER TABLE "discrepancies" ADD CONSTRAINT "discrepancies_reconciliation_id_reconciliations_id_fk" FOREIGN KEY ("reconciliation_id") REFERENCES "public"."reconciliations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "billing_records" ADD CONSTRAINT "billing_records_subscription_id_subscriptions_id_fk" FOREIGN KEY ("subscription_id") REFERENCES "public"."subscriptions"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "subscriptions" ADD CONSTRAINT "subscriptions_test_clock_test_clocks_id_fk" FOREIGN KEY ("test_clock") REFERENCES "public"."test_clocks"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "audit_log_newest" ON "audit_log" USING btree ("at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "audit_log_of_subject" ON "audit_log" USING btree ("subject","at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "audit_log_of_actor" ON "audit_log" USING btree ("actor","at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "audit_log_of_action" ON "audit_log" USING btree ("action","at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "customer_spend_of_customer" ON "customer_spend" USING btree ("customer_id","at");--> statement-breakpoint
CREATE INDEX "payment_attempts_of_card" ON "payment_attempts" USING btree ("card_hash","at") WHERE "payment_attempts"."card_hash" is not null;--> statement-breakpoint
CREATE INDEX "payment_attempts_of_customer" ON "payment_attempts" USING btree ("customer_id","at") WHERE "payment_attempts"."customer_id" is not null;--> statement-breakpoint
CREATE INDEX "reconciliation_entries_by_subject" ON "reconciliation_entries" USING btree ("reconciliation_id","gateway","subject");--> statement-breakpoint
CREATE INDEX "reconciliations_newest" ON "reconciliations" USING btree ("created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "billing_records_newest" ON "billing_records" USING btree ("subscription_id","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE UNIQUE INDEX "billing_records_once" ON "billing_records" USING btree ("subscription_id","series","period_start") WHERE "billing_records"."kind" = 'period' and "billing_records"."status" <> 'void';--> statement-breakpoint
CREATE INDEX "subscriptions_newest" ON "subscriptions" USING btree ("created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "subscriptions_by_customer" ON "subscriptions" USING btree ("customer_id","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "subscriptions_by_status" ON "subscriptions" USING btree ("status","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "subscriptions_due" ON "subscriptions" USING btree ("next_at") WHERE "subscriptions"."test_clock" is null and "subscriptions"."next_at" is not null;--> statement-breakpoint
CREATE INDEX "subscriptions_charging_on_clock" ON "subscriptions" USING btree ("test_clock") WHERE "subscriptions"."test_clock" is not null and "subscriptions"."pending" is not null;--> statement-breakpoint
CREATE INDEX "billing_records_unsettled" ON "billing_records" USING btree ("subscription_id") WHERE "billing_records"."status" in ('open', 'failed');--> statement-breakpoint
CREATE INDEX "subscription_steps_oldest" ON "subscription_steps" USING btree ("at");--> statement-breakpoint
CREATE INDEX "customer_spend_oldest" ON "customer_spend" USING btree ("at");--> statement-breakpoint
CREATE INDEX "payment_attempts_oldest" ON "payment_attempts" USING btree ("at");--> statement-breakpoint
CREATE INDEX "subscriptions_due_on_clock" ON "subscriptions" USING btree ("test_clock","next_at") WHERE "subscriptions"."test_clock" is not null and "subscriptions"."next_at" is not null;
--> statement-breakpoint
INSERT INTO "subscription_transitions" ("from_status", "to_status") VALUES
	('scheduled', 'active'), ('scheduled', 'cancelled'),
	('active', 'past_due'), ('active', 'unpaid'), ('active', 'paused'), ('active', 'cancelled'),
	('past_due', 'active'), ('past_due', 'unpaid'), ('past_due', 'paused'), ('past_due', 'cancelled'),
	('unpaid', 'active'), ('unpaid', 'paused'), ('unpaid', 'cancelled'),
	('paused', 'active'), ('paused', 'cancelled');
--> statement-breakpoint
CREATE TRIGGER "audit_log_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "audit_log"
	FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
