CREATE TABLE "sql_functions" (
	"file" text PRIMARY KEY NOT NULL,
	"hash" text,
	"superseded" text[] DEFAULT '{}' NOT NULL
);
