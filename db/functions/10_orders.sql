-- Inserts the rows of the orders that steps open, still without lines. An order whose external reference is taken gets none.
-- References are locked in one order, so that two transactions with several of them cannot wait for each other.
create or replace function order_insert(p_steps jsonb) returns void language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtextextended(reference, 0))
    from (select distinct concat_ws(chr(10), s->'details'->>'channel', s->'details'->>'externalReference') as reference
            from jsonb_array_elements(p_steps) s
           where s->>'step' = 'open' and s->'details'->>'externalReference' is not null
           order by 1) as named;
  insert into orders (id, status, customer_id, customer_name, customer_email, workflow_id, created_at, updated_at,
                      taxes_included, charges, charge_amount, tax_amount, total_amount, channel, external_reference,
                      shipping_address, billing_address, metadata, tags, note)
  select s->>'orderId', 'pending', s->'customer'->>'id', s->'customer'->>'name', s->'customer'->>'email',
         s->>'workflowId', coalesce((s->>'requestedAt')::timestamptz, clock_timestamp()), clock_timestamp(),
         taxes_included, charges, c.amount, c.tax, c.amount + case when taxes_included then 0 else c.tax end,
         d->>'channel', d->>'externalReference', nullif(d->'shippingAddress', 'null'), nullif(d->'billingAddress', 'null'),
         coalesce(d->'metadata', '{}'), array(select jsonb_array_elements_text(coalesce(d->'tags', '[]'))), d->>'note'
    from jsonb_array_elements(p_steps) s
   cross join lateral (select s->'details' as d, coalesce(s->'money'->'charges', '[]') as charges,
                              coalesce((s->'money'->>'taxesIncluded')::boolean, false) as taxes_included) given
   cross join lateral charge_sums(charges) c
   where s->>'step' = 'open' order by s->>'orderId'
  on conflict do nothing;
end $$;

-- The result of a step whose order got no row, since its external reference is taken. `again`: by another order of the same
-- call, which may still be refused.
create or replace function order_already_exists(step jsonb, p_ids text[]) returns jsonb language plpgsql stable as $$
declare
  v_other text := (select id from orders
                    where coalesce(channel, '') = coalesce(step->'details'->>'channel', '')
                      and external_reference = step->'details'->>'externalReference' and status <> 'failed');
begin
  if v_other is null or v_other = any (p_ids) then return '{"outcome": "again"}'; end if;
  return step_without_row(refuse('already_exists', jsonb_build_object('orderId', v_other)));
end $$;

-- The store of orders (db/orders/store.ts; domain/orders/steps.ts has the shapes). A step changes an order, its stock, its
-- payment and its outbox rows in one transaction, which all steps of an array share. Locks are taken in one global order:
-- orders by id, then (inside stock_apply) reservations, then levels.
create or replace function order_apply(p_steps jsonb) returns jsonb language plpgsql volatile
-- As for stock_apply: a session plans once, and rows are found by key. A join with the steps would make each call scan all
-- orders and steps.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  v_count int := jsonb_array_length(p_steps);
  v_ids text[] := array(select s->>'orderId' from jsonb_array_elements(p_steps) s);
  v_keys text[] := array(select s->>'key' from jsonb_array_elements(p_steps) s);
  v_known jsonb; -- key → result
  v_turns text[];
  v_results jsonb[] := array_fill(null::jsonb, array[v_count]);
  v_plans text[] := array_fill(null::text, array[v_count]);
  v_priced jsonb[] := array_fill(null::jsonb, array[v_count]);
  v_refusals jsonb[] := array_fill(null::jsonb, array[v_count]);
  v_operation int[] := array_fill(null::int, array[v_count]); -- the index of the step's (last) operation, from 0
  v_operations jsonb := '[]';
  v_stock jsonb := '[]';
  v_taken text[] := '{}'; -- payments that were counted towards limits
  v_wait int;
  v_plan record;
  v_short record;
  step jsonb;
  o orders;
begin
  perform order_insert(p_steps);
  perform from orders where id = any (v_ids) order by id for update;
  -- Read after the locks: the same step of another process has either committed or waits for these locks.
  select coalesce(jsonb_object_agg(key, result), '{}') into v_known from order_steps where key = any (v_keys);
  v_turns := step_turns(v_keys, v_ids, v_known);
  if p_steps @? '$[*].limits ? (@ != null)' then
    perform customers_lock(array(select o2.customer_id from jsonb_array_elements(p_steps) s
                                   join orders o2 on o2.id = s->>'orderId' where s->'limits' <> 'null'));
  end if;

  for i in 1 .. v_count loop
    step := p_steps->(i - 1);
    if v_turns[i] = 'again' then
      v_results[i] := '{"outcome": "again"}';
      continue;
    end if;
    select * into o from orders where id = v_ids[i];
    if v_turns[i] = 'known' then
      v_results[i] := v_known->v_keys[i];
      if step->>'step' = 'open' and v_results[i]->'state' = 'null' then
        delete from orders where id = v_ids[i] and status = 'pending';
      else
        -- The stored result with the present order, which later steps may have changed.
        v_results[i] := v_results[i] || jsonb_build_object('state', case when o.id is not null then order_state(o) end);
      end if;
    elsif o.id is null and step->>'step' = 'open' then
      v_results[i] := order_already_exists(step, v_ids);
    elsif o.id is null then
      v_results[i] := step_without_row(refuse('not_found', jsonb_build_object('orderId', v_ids[i])));
    else
      select * into v_plan from order_plan(step, o);
      v_plans[i] := v_plan.plan;
      v_priced[i] := v_plan.priced;
      v_wait := null;
      if step->'limits' <> 'null' and v_plan.refusal is null then
        v_wait := order_limit(step, o, v_plan.plan, v_plan.priced);
        if v_wait is null then v_taken := array_append(v_taken, step->'payment'->>'paymentId'); end if;
      end if;
      if v_wait is not null then
        perform audit(step->>'actor', 'payment.limited', 'order/' || o.id, 'refused', step->>'requestId',
                      jsonb_build_object('retryAfterSeconds', v_wait, 'step', v_plan.plan));
        -- The order is held, or stays held, without a payment.
        if v_plan.plan = 'begin_confirm' then
          v_plan.refusal := refuse('customer_limit_reached', jsonb_build_object('retryAfterSeconds', v_wait));
        else
          step := step || jsonb_build_object('confirming', false, 'retryAfterSeconds', v_wait);
          p_steps := jsonb_set(p_steps, array[(i - 1)::text], step);
          if v_plan.plan = 'open' then
            v_plan.commands := reserve_commands(o.id, v_plan.priced, (step->>'holdSeconds')::numeric);
          end if;
        end if;
      end if;
      v_refusals[i] := v_plan.refusal;
      if v_plan.plan in ('restock', 'restock_last') and v_plan.refusal is null then
        v_operations := v_operations || restock_operations(step, o, v_plan.plan = 'restock_last');
        v_operation[i] := jsonb_array_length(v_operations) - 1;
      elsif (v_plan.refusal is null or v_plan.plan = 'expire') and jsonb_array_length(v_plan.commands) > 0 then
        v_operations := v_operations || step_operation(step, v_keys[i] || '/' || v_plan.plan, v_ids[i], v_plan.commands);
        v_operation[i] := jsonb_array_length(v_operations) - 1;
      end if;
    end if;
  end loop;

  if v_operations <> '[]' then v_stock := stock_apply(v_operations); end if;

  -- Orders that lack stock which a supplier can refill hold the available part. This second call to the ledger needs only
  -- levels that are already locked and new holds, so it never waits. One order at a time, since several may need the same
  -- goods.
  for i in 1 .. v_count loop
    continue when v_plans[i] is distinct from 'open'
               or v_stock->v_operation[i]->'refusal'->>'code' is distinct from 'insufficient_stock';
    step := p_steps->(i - 1);
    select * into v_short from order_shortages(v_priced[i]);
    continue when v_short.shortages is null;
    -- Nothing is ordered for a payment that may not start. The order could not be held for a later one, so it is not opened.
    if step ? 'retryAfterSeconds' then
      v_refusals[i] := refuse('customer_limit_reached', jsonb_build_object('retryAfterSeconds', step->'retryAfterSeconds'));
      continue;
    end if;
    v_plans[i] := 'open_short';
    v_priced[i] := jsonb_build_object('shortages', v_short.shortages, 'held', v_short.held);
    v_operations := short_operations(step, v_short.held);
    v_stock := v_stock || case when v_operations = '[]' then '[null]' else stock_apply(v_operations)::jsonb end;
    v_operation[i] := jsonb_array_length(v_stock) - 1;
  end loop;

  for i in 1 .. v_count loop
    continue when v_results[i] is not null;
    select * into o from orders where id = v_ids[i];
    v_results[i] := order_finish(p_steps->(i - 1), o, v_plans[i], v_priced[i], v_stock->v_operation[i], v_refusals[i]);
  end loop;

  -- What was counted and did not start counts no more: its order lacks stock, or its step comes again.
  if v_taken <> '{}' then
    delete from customer_spend s where s.payment_id = any (v_taken) and not exists (select from payments p where p.id = s.payment_id);
  end if;

  insert into order_steps (key, order_id, result)
  select distinct on (key) key, id, result
    from unnest(v_keys, v_ids, v_results, v_plans, v_turns) as x(key, id, result, plan, turn)
   where turn <> 'known' and result->>'outcome' <> 'again'
     and plan is distinct from 'expire_early' -- too early: the same key is retried
     -- Decided anew under the same key: the other card of a payment may settle, and a command may close the order once its
     -- payment has been stopped.
     and (plan in ('settle', 'close') and result->>'outcome' = 'refused') is not true
   order by key;
  return to_jsonb(v_results);
end $$;

-- Changes what an order carries besides its goods and its money (db/orders/details.ts). A member that `p_change` lacks stays
-- as it is; null clears a note or an address. What is the same already is no change, so a repeated call leaves no trace. The
-- timeline names the members only: an address is personal data.
create or replace function order_edit(p_order_id text, p_change jsonb, p_by jsonb) returns text language plpgsql volatile as $$
declare
  o orders;
  v_was jsonb;
  v_fields jsonb;
begin
  select * into o from orders where id = p_order_id for update;
  if o.id is null then return 'absent'; end if;
  v_was := jsonb_build_object('metadata', o.metadata, 'tags', o.tags, 'note', o.note, 'shippingAddress', o.shipping_address);
  select jsonb_agg(key order by key) into v_fields from jsonb_each(p_change) where value is distinct from v_was->key;
  if v_fields is null then return 'done'; end if;
  update orders
     set metadata = coalesce(p_change->'metadata', metadata),
         tags = case when p_change ? 'tags' then array(select jsonb_array_elements_text(p_change->'tags')) else tags end,
         note = case when p_change ? 'note' then p_change->>'note' else note end,
         shipping_address = case when p_change ? 'shippingAddress' then nullif(p_change->'shippingAddress', 'null')
                                 else shipping_address end,
         updated_at = clock_timestamp()
   where id = o.id returning * into o;
  perform order_write_tags(o);
  perform order_entry(o.id, o.status, o.status, p_by, 'details_changed', jsonb_build_object('fields', v_fields));
  return 'done';
end $$;
