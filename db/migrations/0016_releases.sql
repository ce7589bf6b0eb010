CREATE TABLE "sql_releases" (
	"release" text PRIMARY KEY NOT NULL,
	"applied_at" timestamp (6) with time zone DEFAULT clock_timestamp() NOT NULL
);
