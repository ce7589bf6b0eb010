-- The store of transfers (db/transfers/store.ts; domain/transfers/steps.ts has the shapes). A step changes a transfer and
-- its stock in one transaction, which all steps of an array share. Locks are taken in the global order: transfers by id,
-- then (inside stock_apply) reservations, then levels.

-- The transfer in the result of a step.
create or replace function transfer_state(t transfers) returns jsonb language sql immutable
return jsonb_build_object('status', t.status, 'received', t.received);

-- Why the goods cannot be transferred; null where they can. Clients cannot name a virtual location.
create or replace function transfer_refusal(t transfers) returns jsonb language sql stable
return case
  when t.from_location = t.to_location then refuse('same_location', jsonb_build_object('location', t.from_location))
  when not exists (select from products where sku = t.sku) then refuse('unknown_sku', jsonb_build_object('sku', t.sku))
  when not exists (select from locations where code = t.from_location and not virtual) then
    refuse('unknown_location', jsonb_build_object('location', t.from_location))
  when not exists (select from locations where code = t.to_location and not virtual) then
    refuse('unknown_location', jsonb_build_object('location', t.to_location)) end;

-- Commands that move goods from one location to another; none for 0.
create or replace function carry_commands(p_sku text, p_quantity bigint, p_from text, p_to text) returns jsonb
language sql immutable
return case when p_quantity > 0 then jsonb_build_array(
  jsonb_build_object('kind', 'transfer_out', 'sku', p_sku, 'location', p_from, 'quantity', p_quantity),
  jsonb_build_object('kind', 'transfer_in', 'sku', p_sku, 'location', p_to, 'quantity', p_quantity)) else '[]' end;

-- Commands that give the goods back, from the hold or from transit. While a review is open, only the ledger knows which.
create or replace function return_commands(t transfers) returns jsonb language sql stable
return case
  when exists (select from reservations where id = t.reservation_id and status = 'pending') then
    jsonb_build_array(jsonb_build_object('kind', 'cancel', 'reservationId', t.reservation_id))
  when t.status = 'in_transit' then carry_commands(t.sku, t.quantity, 'transit', t.from_location)
  when t.status = 'manual_review' then carry_commands(t.sku,
    (select coalesce(sum(on_hand_delta), 0)::bigint from stock_ledger
      where sku = t.sku and location = 'transit' and reference = t.id and at >= t.created_at), 'transit', t.from_location)
  else '[]' end;

-- The first half of a step: decides whether it may be done, and with which commands to the ledger. Changes nothing. `plan` is
-- what transfer_finish does once the ledger has answered.
create or replace function transfer_plan(step jsonb, t transfers, out plan text, out commands jsonb, out refusal jsonb)
language plpgsql volatile as $$
declare
  v_to text;
  v_arrived bigint;
begin
  commands := '[]';
  plan := step->>'step';
  case plan
  when 'open' then
    refusal := transfer_refusal(t);
    if refusal is null then
      commands := jsonb_build_array(jsonb_build_object('kind', 'reserve', 'reservationId', t.reservation_id, 'sku', t.sku,
        'location', t.from_location, 'quantity', t.quantity, 'holdSeconds', null, 'orderId', null));
    end if;
    return;
  when 'move', 'ship' then
    v_to := case plan when 'move' then 'completed' else 'in_transit' end;
    if t.status = 'reserved' then
      commands := jsonb_build_array(jsonb_build_object('kind', 'cancel', 'reservationId', t.reservation_id))
        || carry_commands(t.sku, t.quantity, t.from_location, case plan when 'move' then t.to_location else 'transit' end);
      return;
    end if;
  when 'receive' then
    v_to := 'completed';
    v_arrived := coalesce((step->>'quantity')::bigint, t.quantity);
    if v_arrived > t.quantity then
      refusal := refuse('validation_failed', jsonb_build_object('rule', 'max_received', 'max', t.quantity));
      return;
    elsif t.status = 'in_transit' then
      commands := carry_commands(t.sku, v_arrived, 'transit', t.to_location);
      if v_arrived < t.quantity then
        commands := commands || jsonb_build_object('kind', 'lose', 'sku', t.sku, 'location', 'transit',
                                                   'quantity', t.quantity - v_arrived);
      end if;
      return;
    elsif t.status = 'completed' and t.mode = 'shipped' and t.received = v_arrived then
      plan := 'nothing';
      return;
    end if;
  when 'close' then
    v_to := step->>'to';
    if t.status = v_to then
      plan := 'nothing';
      return;
    elsif exists (select from transfer_transitions where from_status = t.status and to_status = v_to) then
      if not (step->>'byHand')::boolean then commands := return_commands(t); end if;
      return;
    end if;
  when 'review' then
    if t.status not in ('reserved', 'in_transit') then plan := 'nothing'; end if;
    return;
  end case;
  refusal := refuse('invalid_state', jsonb_build_object('from', t.status, 'to', v_to));
end $$;

-- Moves a transfer. The trigger on transfers refuses an unknown transition.
create or replace function transfer_move(p_transfer_id text, p_from text, p_to text) returns jsonb language sql as $$
  update transfers set status = p_to, updated_at = clock_timestamp() where id = p_transfer_id;
  select jsonb_build_object('from', p_from, 'to', p_to);
$$;

-- The second half of a step, after the ledger has done or refused its commands. Returns the step's result.
create or replace function transfer_finish(step jsonb, t transfers, p_plan text, p_stock jsonb, p_refusal jsonb)
returns jsonb language plpgsql volatile as $$
declare
  v_refusal jsonb := case when p_stock->>'outcome' = 'refused' then ledger_refusal(p_stock) else p_refusal end;
  v_moves jsonb := '[]';
begin
  if p_plan = 'open' then
    if p_refusal is not null then
      delete from transfers where id = t.id; -- created in this transaction, so not visible to others
      return step_without_row(p_refusal);
    end if;
    v_moves := jsonb_build_array(jsonb_build_object('from', null, 'to', 'pending'));
    if v_refusal is null then
      v_moves := v_moves || transfer_move(t.id, 'pending', 'reserved');
    else
      update transfers set reservation_id = null, failure_code = v_refusal->>'code',
                           failure_detail = v_refusal->>'detail', failure_facts = v_refusal->'facts'
       where id = t.id;
      v_moves := v_moves || transfer_move(t.id, 'pending', 'failed');
    end if;
  elsif v_refusal is null then
    case p_plan
    when 'move' then
      update transfers set received = quantity where id = t.id;
      v_moves := v_moves || transfer_move(t.id, t.status, 'completed');
    when 'ship' then
      v_moves := v_moves || transfer_move(t.id, t.status, 'in_transit');
    when 'receive' then
      update transfers set received = coalesce((step->>'quantity')::bigint, quantity), reason = step->>'reason' where id = t.id;
      v_moves := v_moves || transfer_move(t.id, t.status, 'completed');
    when 'close' then
      update transfers set reason = step->>'reason', failure_code = step->'failure'->>'code',
                           failure_detail = step->'failure'->>'detail'
       where id = t.id;
      v_moves := v_moves || transfer_move(t.id, t.status, step->>'to');
    when 'review' then
      v_moves := v_moves || transfer_move(t.id, t.status, 'manual_review');
    when 'nothing' then
      null;
    end case;
  end if;

  select * into t from transfers where id = t.id;
  return step_result(v_refusal, transfer_state(t), v_moves);
end $$;

create or replace function transfer_apply(p_steps jsonb) returns jsonb language plpgsql volatile
-- As for order_apply.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  v_count int := jsonb_array_length(p_steps);
  v_ids text[] := array(select s->>'transferId' from jsonb_array_elements(p_steps) s);
  v_keys text[] := array(select s->>'key' from jsonb_array_elements(p_steps) s);
  v_known jsonb; -- key → result
  v_turns text[];
  v_results jsonb[] := array_fill(null::jsonb, array[v_count]);
  v_plans text[] := array_fill(null::text, array[v_count]);
  v_refusals jsonb[] := array_fill(null::jsonb, array[v_count]);
  v_operation int[] := array_fill(null::int, array[v_count]); -- the index of the step's operation, from 0
  v_operations jsonb := '[]';
  v_stock jsonb := '[]';
  v_plan record;
  step jsonb;
  t transfers;
begin
  insert into transfers (id, sku, quantity, from_location, to_location, mode, status, reservation_id, workflow_id,
                         created_at, updated_at)
  select s->>'transferId', s->>'sku', (s->>'quantity')::bigint, s->>'from', s->>'to', s->>'mode', 'pending',
         s->>'reservationId', s->>'workflowId', coalesce((s->>'requestedAt')::timestamptz, clock_timestamp()),
         clock_timestamp()
    from jsonb_array_elements(p_steps) s where s->>'step' = 'open' order by s->>'transferId'
  on conflict (id) do nothing;
  perform from transfers where id = any (v_ids) order by id for update;
  -- Read after the locks: the same step of another process has either committed or waits for these locks.
  select coalesce(jsonb_object_agg(key, result), '{}') into v_known from transfer_steps where key = any (v_keys);
  v_turns := step_turns(v_keys, v_ids, v_known);

  for i in 1 .. v_count loop
    step := p_steps->(i - 1);
    if v_turns[i] = 'again' then
      v_results[i] := '{"outcome": "again"}';
      continue;
    end if;
    select * into t from transfers where id = v_ids[i];
    if v_turns[i] = 'known' then
      v_results[i] := v_known->v_keys[i];
      if step->>'step' = 'open' and v_results[i]->'state' = 'null' then
        delete from transfers where id = v_ids[i] and status = 'pending';
      elsif t.id is not null and v_results[i]->'state' <> 'null' then
        -- The stored result with the present transfer, since a run that resumes a lost one needs the present state.
        v_results[i] := v_results[i] || jsonb_build_object('state', transfer_state(t));
      end if;
    elsif t.id is null then
      v_results[i] := step_without_row(refuse('not_found', jsonb_build_object('transferId', v_ids[i])));
    else
      select * into v_plan from transfer_plan(step, t);
      v_plans[i] := v_plan.plan;
      v_refusals[i] := v_plan.refusal;
      if v_plan.refusal is null and v_plan.commands <> '[]' then
        -- A refused `close` is retried, and each attempt is a new operation of the ledger.
        v_operations := v_operations || step_operation(step,
          v_keys[i] || case v_plan.plan when 'close' then '/' || pg_current_xact_id()::text else '' end, v_ids[i], v_plan.commands);
        v_operation[i] := jsonb_array_length(v_operations) - 1;
      end if;
    end if;
  end loop;

  if v_operations <> '[]' then v_stock := stock_apply(v_operations); end if;

  for i in 1 .. v_count loop
    continue when v_results[i] is not null;
    select * into t from transfers where id = v_ids[i];
    v_results[i] := transfer_finish(p_steps->(i - 1), t, v_plans[i], v_stock->v_operation[i], v_refusals[i]);
  end loop;

  insert into transfer_steps (key, transfer_id, result)
  select distinct on (key) key, id, result
    from unnest(v_keys, v_ids, v_results, v_turns) with ordinality as x(key, id, result, turn, place)
   where turn <> 'known' and result->>'outcome' <> 'again'
     and not (p_steps->(place::int - 1)->>'step' = 'close' and result->>'outcome' = 'refused') -- may be retried
   order by key;
  return to_jsonb(v_results);
end $$;
