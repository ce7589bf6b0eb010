-- Functions that earlier releases had. They go in the transaction that puts their successors in place.
drop function if exists order_tell(text, text, jsonb, text);
drop function if exists order_move(text, text, text, jsonb, text);
