-- The results of stock_apply, in the shapes of domain/stock.ts. They are assembled as text: converting each member of a
-- movement to JSON would take Postgres longer than deciding and writing the movement.

create or replace function rfc3339(at timestamptz) returns text language sql stable parallel safe
return to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');

create or replace function json_text(p text) returns text language sql stable parallel safe
return coalesce(to_json(p)::text, 'null');

-- domain/stock.ts, Movement.
create or replace function movement_json(m stock_ledger) returns text language sql stable parallel safe
return concat('{"id":"mov_', m.id, '","sku":', to_json(m.sku), ',"location":', to_json(m.location), ',"kind":"', m.kind,
  '","onHandDelta":', m.on_hand_delta, ',"reservedDelta":', m.reserved_delta, ',"onHandAfter":', m.on_hand_after,
  ',"reservedAfter":', m.reserved_after, ',"reservationId":', json_text(m.reservation_id),
  ',"reference":', json_text(m.reference), ',"reason":', json_text(m.reason), ',"actor":', to_json(m.actor),
  ',"at":"', rfc3339(m.at), '"}');

-- domain/stock.ts, ReservationState.
create or replace function hold_json(r reservations) returns text language sql stable parallel safe
return concat('{"id":', to_json(r.id), ',"sku":', to_json(r.sku), ',"location":', to_json(r.location),
  ',"quantity":', r.quantity, ',"status":"', r.status, '","expiresAt":', json_text(rfc3339(r.expires_at)),
  ',"orderId":', json_text(r.order_id), '}');

-- The kind of ledger row that a command writes; null for a command that moves nothing.
create or replace function ledger_kind(command text) returns text language sql immutable parallel safe
return case command
  when 'reserve' then 'reserved' when 'confirm' then 'confirmed' when 'cancel' then 'cancelled' when 'expire' then 'expired'
  when 'receive' then 'received' when 'return' then 'returned' when 'consume' then 'consumed' when 'adjust' then 'adjusted'
  when 'transfer_in' then 'transferred_in' when 'transfer_out' then 'transferred_out' when 'lose' then 'lost' end;

-- Why a command may not use this SKU and location; null where it may. Only goods in transit are at a virtual location.
create or replace function stock_place_refusal(p_kind text, p_command int, p_sku text, p_location text) returns json
language sql stable
return case
  when not exists (select from products where sku = p_sku)
    then json_build_object('code', 'unknown_sku', 'command', p_command, 'sku', p_sku)
  when not exists (select from locations where code = p_location
                      and (not virtual or p_kind in ('transfer_in', 'transfer_out', 'lose')))
    then json_build_object('code', 'unknown_location', 'command', p_command, 'location', p_location) end;
