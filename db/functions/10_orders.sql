create or replace function order_apply(p_steps jsonb) returns jsonb language plpgsql volatile
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  v_count int := jsonb_array_length(p_steps);
  v_ids text[] := array(select s->>'orderId' from jsonb_array_elements(p_steps) s);
  v_keys text[] := array(select s->>'key' from jsonb_array_elements(p_steps) s);
  v_known jsonb;
  v_seen text[] := '{}';
  v_results jsonb[] := array_fill(null::jsonb, array[v_count]);
  v_plans text[] := array_fill(null::text, array[v_count]);
  v_priced jsonb[] := array_fill(null::jsonb, array[v_count]);
  v_refusals jsonb[] := array_fill(null::jsonb, array[v_count]);
  v_operation int[] := array_fill(null::int, array[v_count]);
  v_operations jsonb := '[]';
  v_stock jsonb := '[]';
  v_plan record;
  v_short record;
  step jsonb;
  o orders;
begin
  insert into orders (id, status, customer_id, customer_name, customer_email, workflow_id, created_at, updated_at)
  select s->>'orderId', 'pending', s->'customer'->>'id', s->'customer'->>'name', s->'customer'->>'email',
         s->>'workflowId', coalesce((s->>'requestedAt')::timestamptz, clock_timestamp()), clock_timestamp()
    from jsonb_array_elements(p_steps) s where s->>'step' = 'open' order by s->>'orderId'
  on conflict (id) do nothing;
  perform from orders where id = any (v_ids) order by id for update;
  -- after the locks, so that an equal step of another process has either committed or waits for us
  select coalesce(jsonb_object_agg(key, result), '{}') into v_known
    from order_steps where key = any (v_keys);

  for i in 1 .. v_count loop
    step := p_steps->(i - 1);
    if v_known ? (step->>'key') then
      v_results[i] := v_known->(step->>'key');
      if step->>'step' = 'open' and v_results[i]->'state' = 'null' then
        delete from orders where id = step->>'orderId' and status = 'pending';
      else
        -- what the step did is told as it was, the order as it is: other steps may have come between
        v_results[i] := v_results[i] || jsonb_build_object('state', (select order_state(x) from orders x where x.id = step->>'orderId'));
      end if;
      continue;
    end if;
    if step->>'orderId' = any (v_seen) then
      v_results[i] := '{"outcome": "again"}';
      continue;
    end if;
    v_seen := v_seen || (step->>'orderId');
    select * into o from orders where id = step->>'orderId';
    if not found then
      v_results[i] := jsonb_build_object('outcome', 'refused', 'state', null, 'transitions', '[]'::jsonb, 'refusal',
        jsonb_build_object('code', 'not_found', 'detail', format('there is no order %s', step->>'orderId')));
      continue;
    end if;
    select * into v_plan from order_plan(step, o);
    v_plans[i] := v_plan.plan;
    v_priced[i] := v_plan.priced;
    v_refusals[i] := v_plan.refusal;
    if v_plan.plan in ('restock', 'restock_last') and v_plan.refusal is null then
      v_operations := v_operations || restock_operations(step, o, v_plan.plan = 'restock_last');
      v_operation[i] := jsonb_array_length(v_operations) - 1;
    elsif (v_plan.refusal is null or v_plan.plan = 'expire') and jsonb_array_length(v_plan.commands) > 0 then
      v_operations := v_operations || jsonb_build_object('key', (step->>'key') || '/' || v_plan.plan, 'commands', v_plan.commands,
        'actor', step->>'actor', 'reference', step->>'orderId', 'reason', step->>'reason');
      v_operation[i] := jsonb_array_length(v_operations) - 1;
    end if;
  end loop;

  if v_operations <> '[]' then v_stock := stock_apply(v_operations); end if;

  -- Orders that lack stock which a supplier can be asked for: what is there is held for them. The ledger is asked once
  -- more, about levels that it has locked already and holds that nobody knows yet: this waits for nobody. One after the
  -- other, since they may want the same goods.
  for i in 1 .. v_count loop
    continue when v_plans[i] is distinct from 'open'
               or v_stock->v_operation[i]->'refusal'->>'code' is distinct from 'insufficient_stock';
    step := p_steps->(i - 1);
    select * into v_short from order_shortages(v_priced[i]);
    continue when v_short.shortages is null;
    v_plans[i] := 'open_short';
    v_priced[i] := jsonb_build_object('shortages', v_short.shortages, 'held', v_short.held);
    v_operations := short_operations(step, v_short.held);
    v_stock := v_stock || case when v_operations = '[]' then '[null]' else stock_apply(v_operations)::jsonb end;
    v_operation[i] := jsonb_array_length(v_stock) - 1;
  end loop;

  for i in 1 .. v_count loop
    continue when v_results[i] is not null;
    step := p_steps->(i - 1);
    select * into o from orders where id = step->>'orderId';
    v_results[i] := order_finish(step, o, v_plans[i], v_priced[i], v_stock->v_operation[i], v_refusals[i]);
  end loop;

  insert into order_steps (key, order_id, result)
  select distinct on (s->>'key') s->>'key', s->>'orderId', v_results[ord]
    from jsonb_array_elements(p_steps) with ordinality as x(s, ord)
   where v_results[ord]->>'outcome' <> 'again' and not v_known ? (s->>'key')
     and not (s->>'step' = 'expire' and v_plans[ord] = 'nothing') -- asked too early, and to be asked again
   order by s->>'key';
  return to_jsonb(v_results);
end $$;
