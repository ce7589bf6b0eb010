-- The only writer of stock: takes an array of StockOperation, returns an array of StockResult in the same order
-- (domain/stock.ts). It runs inside its caller's transaction.
--
-- All calls take locks in one order, so they never deadlock: reservations by id; levels created here, by (sku, location);
-- levels, by (sku, location); last, the new reservations by id, and the keys. A caller with a transaction of its own may lock
-- orders first, and calls this function once.
--
-- Between the locks and the writes everything is decided in memory, without a statement per command. Rows are built by
-- position (`row(...)::reservations`), so a migration that adds a column to one of these tables changes this function too.
create or replace function stock_apply(p_operations jsonb) returns json
language plpgsql
-- Planning costs as much as a whole batch, so a session plans each statement once.
set plan_cache_mode = force_generic_plan
-- A plan made while a table was small would scan it; every row here is found by its key.
set enable_seqscan = off
as $$
declare
  -- Operations, by their place in the array.
  o_key text[];
  o_actor text[];
  o_reference text[];
  o_reason text[];
  o_commands int[]; -- how many
  o_result json[];
  o_decided boolean[]; -- by this call
  v_known jsonb; -- key → result
  v_twins boolean; -- whether a key appears twice

  -- Commands of all operations, one after the other.
  c_kind text[];
  c_sku text[];
  c_location text[];
  c_quantity bigint[]; -- or delta
  c_hold text[];
  c_hold_seconds double precision[];
  c_order text[];

  -- The rows to decide about, by slot: as they were locked, then as they become.
  v_hold_id text[];
  v_holds reservations[];
  v_hold_write text[]; -- null, 'insert' or 'update'
  v_place_sku text[]; -- of every level that a command or a hold names
  v_place_location text[];
  v_level_name text[]; -- sku/location
  v_levels stock_levels[];
  v_virtual boolean[];
  v_rows stock_ledger[] := '{}'; -- the first v_count are written
  v_count int := 0;

  -- The state before the current operation, restored if it is refused.
  v_holds_before reservations[];
  v_hold_write_before text[];
  v_levels_before stock_levels[];
  v_count_before int;

  v_now timestamptz;
  v_at timestamptz;
  v_first int := 1; -- first command of the current operation
  v_hold reservations;
  v_level stock_levels;
  v_row stock_ledger;
  h int; -- slot of v_hold
  l int; -- slot of v_level
  v_kind text;
  v_movement text; -- the kind of its ledger row; null: none
  v_on_hand_delta bigint;
  v_reserved_delta bigint;
  v_open_delta int; -- of the level's count of open holds
  v_refusal json;
  v_movements text; -- JSON, as v_states
  v_touched int[]; -- slots of the holds that the operation names
  v_states text;
  v_command int; -- the current one, from 0
begin
  -- The operations, then their commands.
  select array_agg(op->>'key' order by place), array_agg(op->>'actor' order by place),
         array_agg(op->>'reference' order by place), array_agg(op->>'reason' order by place),
         array_agg(jsonb_array_length(op->'commands') order by place), count(distinct op->>'key') < count(*)
    into o_key, o_actor, o_reference, o_reason, o_commands, v_twins
    from jsonb_array_elements(p_operations) with ordinality as e(op, place);
  if o_key is null then return '[]'; end if;
  o_result := array_fill(null::json, array[cardinality(o_key)]);
  o_decided := array_fill(false, array[cardinality(o_key)]);

  select array_agg(c->>'kind' order by place, line), array_agg(c->>'sku' order by place, line),
         array_agg(c->>'location' order by place, line),
         array_agg(coalesce(c->>'quantity', c->>'delta')::bigint order by place, line),
         array_agg(c->>'reservationId' order by place, line),
         array_agg((c->>'holdSeconds')::double precision order by place, line),
         array_agg(c->>'orderId' order by place, line),
         coalesce(array_agg(distinct c->>'reservationId') filter (where c ? 'reservationId'), '{}')
    into c_kind, c_sku, c_location, c_quantity, c_hold, c_hold_seconds, c_order, v_hold_id
    from jsonb_array_elements(p_operations) with ordinality as e(op, place),
         jsonb_array_elements(op->'commands') with ordinality as f(c, line);

  -- Locks.
  v_holds := array_fill(null::reservations, array[cardinality(v_hold_id)]);
  v_hold_write := array_fill(null::text, array[cardinality(v_hold_id)]);
  v_place_sku := c_sku;
  v_place_location := c_location;
  if c_kind && '{confirm,cancel,expire,hold}' then
    for v_hold in select * from reservations where id = any (v_hold_id) order by id for update loop
      v_holds[array_position(v_hold_id, v_hold.id)] := v_hold;
      v_place_sku := array_append(v_place_sku, v_hold.sku);
      v_place_location := array_append(v_place_location, v_hold.location);
    end loop;
  end if;

  if c_kind && '{receive,return,transfer_in,adjust}' then
    insert into stock_levels (sku, location)
    select distinct a.sku, a.location
      from unnest(c_kind, c_sku, c_location) as a(kind, sku, location)
      join products p on p.sku = a.sku
      join locations w on w.code = a.location and (not w.virtual or a.kind = 'transfer_in')
     where a.kind in ('receive', 'return', 'transfer_in', 'adjust')
       and not exists (select from stock_levels s where s.sku = a.sku and s.location = a.location)
     order by a.sku, a.location
        on conflict do nothing;
  end if;

  select array_agg(x.sku || '/' || x.location),
         array_agg(row(x.sku, x.location, x.on_hand, x.reserved, x.changed_at, x.open_holds)::stock_levels), array_agg(x.virtual)
    into v_level_name, v_levels, v_virtual
    from (select s.*, s.location in (select code from locations where virtual) as virtual
            from (select distinct sku, location from unnest(v_place_sku, v_place_location) as a(sku, location)) a
            join stock_levels s on s.sku = a.sku and s.location = a.location
           order by s.sku, s.location for update of s) x;

  -- Read after the locks, which a call that has just decided one of these keys held.
  select jsonb_object_agg(key, result::jsonb || '{"replayed": true}') into v_known
    from stock_operations where key = any (o_key);
  v_now := clock_timestamp();

  for i in 1 .. cardinality(o_key) loop
    v_first := case when i = 1 then 1 else v_first + o_commands[i - 1] end;
    if v_known ? o_key[i] then
      o_result[i] := (v_known->o_key[i])::json;
      continue;
    elsif v_twins and o_key[i] = any (o_key[:i - 1]) then
      o_result[i] := (o_result[array_position(o_key, o_key[i])]::jsonb || '{"replayed": true}')::json;
      continue;
    end if;

    v_refusal := null;
    v_movements := '';
    v_touched := '{}';
    if o_commands[i] > 1 then
      v_holds_before := v_holds;
      v_hold_write_before := v_hold_write;
      v_levels_before := v_levels;
      v_count_before := v_count;
    end if;

    for n in v_first .. v_first + o_commands[i] - 1 loop
      v_kind := c_kind[n];
      v_command := n - v_first;
      v_movement := ledger_kind(v_kind);
      v_on_hand_delta := 0;
      v_reserved_delta := 0;
      v_open_delta := 0;

      -- The hold and the level that the command names.
      h := array_position(v_hold_id, c_hold[n]);
      v_hold := v_holds[h];
      if c_sku[n] is not null then
        l := array_position(v_level_name, c_sku[n] || '/' || c_location[n]);
        v_level := v_levels[l];
        if l is null or v_virtual[l] then
          v_refusal := stock_place_refusal(v_kind, v_command, c_sku[n], c_location[n]);
          exit when v_refusal is not null;
        end if;
        if l is null then v_level := row(c_sku[n], c_location[n], 0, 0, '-infinity', 0); end if;
      elsif v_hold.id is not null then
        l := array_position(v_level_name, v_hold.sku || '/' || v_hold.location);
        v_level := v_levels[l];
      else
        v_refusal := json_build_object('code', 'reservation_not_found', 'command', v_command,
                                       'reservationId', c_hold[n]);
        exit;
      end if;

      if c_quantity[n] < 1 and v_kind <> 'adjust' or v_kind = 'reserve' and v_hold.id is not null then
        raise exception 'operation %: command % has a quantity below 1, or a reservation that exists', o_key[i], v_command
          using errcode = 'invalid_parameter_value';
      end if;

      -- The changes of the command.
      case
      when v_kind = 'reserve' then
        v_reserved_delta := c_quantity[n];
        v_open_delta := 1;
      when v_kind in ('receive', 'return', 'transfer_in', 'adjust') then
        v_on_hand_delta := c_quantity[n];
      when v_kind in ('consume', 'transfer_out', 'lose') then
        v_on_hand_delta := -c_quantity[n];
      when v_hold.status = v_movement
        or v_kind = 'expire' and (v_hold.status <> 'pending' or coalesce(v_hold.expires_at > v_now, true)) then
        v_movement := null; -- nothing is left to do
      when v_hold.status <> 'pending' or v_kind in ('confirm', 'hold') and v_hold.expires_at <= v_now then
        v_refusal := json_build_object('code', 'reservation_decided', 'command', v_command, 'reservationId', v_hold.id,
          'status', case v_hold.status when 'pending' then 'expired' else v_hold.status end); -- overdue, though not swept yet
        exit;
      when v_kind = 'confirm' then
        v_on_hand_delta := -v_hold.quantity;
        v_reserved_delta := -v_hold.quantity;
        v_open_delta := -1;
      when v_kind = 'cancel' then
        v_reserved_delta := -coalesce(c_quantity[n], v_hold.quantity);
        if v_hold.quantity + v_reserved_delta = 0 then v_open_delta := -1; end if;
      when v_kind = 'expire' then
        v_reserved_delta := -v_hold.quantity;
        v_open_delta := -1;
      when v_kind = 'hold' then
        v_hold.expires_at := v_now + make_interval(secs => c_hold_seconds[n]);
      end case;
      if v_level.on_hand + v_on_hand_delta < v_level.reserved + v_reserved_delta then
        v_refusal := json_build_object('code', 'insufficient_stock', 'command', v_command,
          'sku', v_level.sku, 'location', v_level.location,
          'available', v_level.on_hand - v_level.reserved, 'requested', v_reserved_delta - v_on_hand_delta);
        exit;
      elsif v_hold.quantity + v_reserved_delta < 0 then -- gives back more than is held
        v_refusal := json_build_object('code', 'insufficient_stock', 'command', v_command,
          'sku', v_level.sku, 'location', v_level.location,
          'available', v_hold.quantity, 'requested', -v_reserved_delta);
        exit;
      end if;

      -- Allowed: apply it.
      if v_movement is not null then
        v_at := greatest(v_now, v_level.changed_at + interval '1 microsecond');
        v_level := row(v_level.sku, v_level.location, v_level.on_hand + v_on_hand_delta,
                       v_level.reserved + v_reserved_delta, v_at, v_level.open_holds + v_open_delta);
        v_levels[l] := v_level;
        v_count := v_count + 1;
        v_row := row(nextval('stock_ledger_id_seq'), v_level.sku, v_level.location, v_movement, v_on_hand_delta,
          v_reserved_delta, v_level.on_hand, v_level.reserved, c_hold[n], o_key[i], o_reference[i], o_reason[i], o_actor[i], v_at);
        v_rows[v_count] := v_row;
        v_movements := concat(v_movements, case when v_movements <> '' then ',' end, movement_json(v_row));
      end if;
      if h is not null then
        if v_kind = 'reserve' then
          v_hold := row(c_hold[n], c_sku[n], c_location[n], c_quantity[n], 'pending', c_order[n], o_reference[i],
                        v_now + make_interval(secs => c_hold_seconds[n]), v_at, null);
          v_hold_write[h] := 'insert';
        elsif v_movement is not null or v_kind = 'hold' and v_hold.status = 'pending' then
          if v_kind = 'cancel' and v_hold.quantity + v_reserved_delta > 0 then
            v_hold.quantity := v_hold.quantity + v_reserved_delta;
          elsif v_kind <> 'hold' then
            v_hold.status := v_movement;
            v_hold.decided_at := v_at;
          end if;
          v_hold_write[h] := coalesce(v_hold_write[h], 'update');
        end if;
        v_holds[h] := v_hold;
        if not h = any (v_touched) then v_touched := array_append(v_touched, h); end if;
      end if;
    end loop;

    o_decided[i] := true;
    if v_refusal is null then
      v_states := '';
      foreach h in array v_touched loop
        v_hold := v_holds[h];
        v_states := concat(v_states, case when v_states <> '' then ',' end, hold_json(v_hold));
      end loop;
      o_result[i] := '{"outcome":"done","replayed":false,"movements":[' || v_movements || '],"reservations":[' || v_states || ']}';
    else
      o_result[i] := json_build_object('outcome', 'refused', 'replayed', false, 'refusal', v_refusal);
      if o_commands[i] > 1 then
        v_holds := v_holds_before;
        v_hold_write := v_hold_write_before;
        v_levels := v_levels_before;
        v_count := v_count_before;
      end if;
    end if;
  end loop;

  -- Writes, in bulk.
  if v_count > 0 then
    update stock_levels s set on_hand = a.on_hand, reserved = a.reserved, changed_at = a.changed_at, open_holds = a.open_holds
      from unnest(v_levels) a
     where s.sku = a.sku and s.location = a.location and s.changed_at <> a.changed_at;
    insert into stock_ledger overriding system value select * from unnest(v_rows[:v_count]);
  end if;
  if 'insert' = any (v_hold_write) then
    insert into reservations
    select id, sku, location, quantity, status, order_id, reference, expires_at, created_at, decided_at
      from unnest(v_holds, v_hold_write) as a(id, sku, location, quantity, status, order_id, reference, expires_at,
                                              created_at, decided_at, write)
     where write = 'insert' order by id;
  end if;
  if 'update' = any (v_hold_write) then
    update reservations r
       set quantity = a.quantity, status = a.status, expires_at = a.expires_at, decided_at = a.decided_at
      from unnest(v_holds, v_hold_write) as a(id, sku, location, quantity, status, order_id, reference, expires_at,
                                              created_at, decided_at, write)
     where a.write = 'update' and r.id = a.id;
  end if;
  -- If another call has decided a key meanwhile, this violates stock_operations_pkey and the caller retries
  -- (db/postgres/batch.ts).
  insert into stock_operations (key, result)
  select key, result from unnest(o_key, o_result, o_decided) as a(key, result, decided) where decided order by key;
  return to_json(o_result);
end $$;
