-- Functions of earlier releases, dropped in the transaction that creates their successors.
drop function if exists order_tell(text, text, jsonb, text);
drop function if exists order_move(text, text, text, jsonb, text);
drop function if exists order_price(jsonb);
