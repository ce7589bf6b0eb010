-- Who made a key and who revoked it: `api_key:<id>`, or `operator` beside the API. Null for what was done before.
alter table api_keys add column created_by text;--> statement-breakpoint
alter table api_keys add column revoked_by text;
