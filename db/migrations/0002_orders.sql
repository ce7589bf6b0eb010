-- The one door to orders. A step changes an order, its stock, its payment and what must follow, in one transaction;
-- an array of steps shares that transaction. Locks are taken in one global order: orders by id, then (inside
-- stock_apply) reservations, then levels. The shapes are those of db/order-steps.ts.

-- The order as a step answers it.
create function order_state(o orders) returns jsonb language sql volatile as $$
  select jsonb_build_object(
    'status', o.status,
    'totalAmount', o.total_amount,
    'currency', o.currency,
    'expiresInMs', case when o.status in ('draft', 'reserved')
                        then ceil(extract(epoch from o.expires_at - clock_timestamp()) * 1000) end)
$$;
--> statement-breakpoint
-- Writes a payment down. One that is settled is never changed by a late repetition.
create function payment_write(p jsonb) returns void language sql as $$
  insert into payments (id, status, amount, currency, order_id, customer_id, customer_email, reference, card_used,
                        fraud_score, attempts, refunded, provider_reference, failure_code, failure_detail)
  values (p->>'id', p->>'status', (p->>'amount')::bigint, p->>'currency', p->>'orderId', p->>'customerId', p->>'email',
          p->>'reference', p->>'cardUsed', p->>'fraudScore', coalesce(p->'attempts', '[]'), case when p->>'status' = 'refunded' then (p->>'amount')::bigint else 0 end, p->>'providerReference',
          p->'failure'->>'code', p->'failure'->>'detail')
  on conflict (id) do update
    set status = excluded.status, refunded = excluded.refunded, card_used = excluded.card_used, fraud_score = excluded.fraud_score,
        attempts = excluded.attempts, provider_reference = excluded.provider_reference,
        failure_code = excluded.failure_code, failure_detail = excluded.failure_detail, updated_at = clock_timestamp()
    where payments.status in ('pending', 'authorized')
$$;
--> statement-breakpoint
-- Mails that must follow, each at most once a payment and template; wakes the relays.
create function outbox_mails(p_mails jsonb) returns void language plpgsql as $$
begin
  if jsonb_array_length(coalesce(p_mails, '[]')) = 0 then return; end if;
  insert into outbox (topic, dedup_key, payload)
  select 'mail', m->>'template' || '/' || (m->>'paymentId'), m from jsonb_array_elements(p_mails) m
  on conflict (topic, dedup_key) do nothing;
  perform pg_notify('outbox', '');
end $$;
--> statement-breakpoint
-- What lines would cost, or the first reason why they cannot be ordered.
create function order_price(p_lines jsonb, out refusal jsonb, out total bigint, out currency text, out priced jsonb)
language plpgsql stable as $$
declare
  v_currencies text[];
  v_bad record;
begin
  select l.ord - 1 as at, l.sku, l.location, p.sku is null as unknown_sku, loc.code is null as unknown_location,
         p.status as product_status
    into v_bad
    from rows from (jsonb_to_recordset(p_lines) as (sku text, quantity bigint, location text, "reservationId" text))
         with ordinality as l(sku, quantity, location, reservation_id, ord)
    left join products p on p.sku = l.sku
    left join locations loc on loc.code = l.location and not loc.virtual
   where p.sku is null or loc.code is null or p.status <> 'active'
   order by l.ord limit 1;
  if found then
    refusal := case
      when v_bad.unknown_sku then
        jsonb_build_object('code', 'unknown_sku', 'detail', format('there is no product %s', v_bad.sku),
                           'extensions', jsonb_build_object('sku', v_bad.sku))
      when v_bad.unknown_location then
        jsonb_build_object('code', 'unknown_location', 'detail', format('there is no location %s', v_bad.location),
                           'extensions', jsonb_build_object('location', v_bad.location))
      else
        jsonb_build_object('code', 'product_not_active',
                           'detail', format('product %s is %s', v_bad.sku, v_bad.product_status),
                           'extensions', jsonb_build_object('sku', v_bad.sku)) end;
    return;
  end if;
  select array_agg(distinct p.price_currency), sum(l.quantity * p.price_amount),
         jsonb_agg(jsonb_build_object('sku', l.sku, 'quantity', l.quantity, 'location', l.location,
                                      'reservationId', l.reservation_id, 'amount', p.price_amount,
                                      'currency', p.price_currency) order by l.ord)
    into v_currencies, total, priced
    from rows from (jsonb_to_recordset(p_lines) as (sku text, quantity bigint, location text, "reservationId" text))
         with ordinality as l(sku, quantity, location, reservation_id, ord)
    join products p on p.sku = l.sku;
  currency := v_currencies[1];
  if array_length(v_currencies, 1) > 1 then
    refusal := jsonb_build_object('code', 'validation_failed', 'detail', 'an order has one currency');
  elsif total > 99999999 then
    refusal := jsonb_build_object('code', 'validation_failed', 'detail', 'the total is over 99999999 minor units');
  end if;
end $$;
--> statement-breakpoint
-- The commands that a priced list of lines asks of the ledger.
create function reserve_commands(p_order_id text, p_priced jsonb, p_hold_seconds numeric) returns jsonb
language sql immutable as $$
  select jsonb_agg(jsonb_build_object('kind', 'reserve', 'reservationId', l->>'reservationId', 'sku', l->>'sku',
                                      'location', l->>'location', 'quantity', l->'quantity',
                                      'holdSeconds', p_hold_seconds, 'orderId', p_order_id) order by ord)
    from jsonb_array_elements(p_priced) with ordinality as x(l, ord)
$$;
--> statement-breakpoint
-- One command of the given kind for each open hold of an order.
create function hold_commands(p_order_id text, p_command jsonb) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(p_command || jsonb_build_object('reservationId', r.id) order by r.id), '[]')
    from order_lines l join reservations r on r.id = l.reservation_id
   where l.order_id = p_order_id and r.status = 'pending'
$$;
--> statement-breakpoint
-- The first half of a step: may it be done, and what does it ask of the ledger? Changes nothing.
-- `plan` says what order_finish does once the ledger has answered.
create function order_plan(step jsonb, o orders, out plan text, out commands jsonb, out priced jsonb, out refusal jsonb)
language plpgsql volatile as $$
declare
  v_price record;
  v_overdue boolean := o.status in ('draft', 'reserved') and o.expires_at <= clock_timestamp();
  v_to text;
begin
  commands := '[]';
  plan := step->>'step';
  case plan
  when 'open' then
    if jsonb_array_length(step->'lines') = 0 then
      plan := 'open_draft';
      return;
    end if;
    select * into v_price from order_price(step->'lines');
    refusal := v_price.refusal;
    priced := v_price.priced;
    if refusal is null then
      commands := reserve_commands(o.id, priced,
        case when (step->>'confirming')::boolean then null else (step->>'holdSeconds')::numeric end);
    end if;
  when 'add_line' then
    v_to := 'reserved';
    if o.status not in ('draft', 'reserved') or v_overdue then
      if v_overdue then plan := 'expire'; commands := hold_commands(o.id, '{"kind": "expire"}'); end if;
    elsif (select count(*) from order_lines where order_id = o.id) >= 100 then
      refusal := jsonb_build_object('code', 'validation_failed', 'detail', 'an order has at most 100 lines');
    else
      select * into v_price from order_price(jsonb_build_array(step->'line'));
      refusal := v_price.refusal;
      priced := v_price.priced;
      if refusal is null and o.status = 'reserved' and v_price.currency <> o.currency then
        refusal := jsonb_build_object('code', 'validation_failed', 'detail', 'an order has one currency');
      elsif refusal is null and o.total_amount + v_price.total > 99999999 then
        refusal := jsonb_build_object('code', 'validation_failed', 'detail', 'the total is over 99999999 minor units');
      end if;
      commands := reserve_commands(o.id, priced, (step->>'holdSeconds')::numeric)
        || hold_commands(o.id, jsonb_build_object('kind', 'hold', 'holdSeconds', step->'holdSeconds'));
      return;
    end if;
  when 'begin_confirm' then
    v_to := 'confirming';
    if v_overdue then
      plan := 'expire';
      commands := hold_commands(o.id, '{"kind": "expire"}');
    elsif o.status = 'reserved' then
      commands := hold_commands(o.id, '{"kind": "hold", "holdSeconds": null}');
      return;
    end if;
  when 'refuse_payment' then
    v_to := 'reserved';
    if o.status = 'confirming' then
      if o.refused_payments + 1 >= (step->>'maxRefusals')::int then
        plan := 'refuse_last';
        commands := hold_commands(o.id, '{"kind": "cancel"}');
      elsif o.expires_at <= clock_timestamp() then
        plan := 'refuse_late';
        commands := hold_commands(o.id, '{"kind": "cancel"}');
      else
        commands := hold_commands(o.id, jsonb_build_object('kind', 'hold',
          'holdSeconds', extract(epoch from o.expires_at - clock_timestamp())));
      end if;
      return;
    end if;
  when 'settle' then
    v_to := 'confirmed';
    if o.status = 'confirming' then
      commands := hold_commands(o.id, '{"kind": "confirm"}');
      return;
    end if;
  when 'close' then
    v_to := step->>'to';
    if o.status = v_to then
      plan := 'nothing';
      return;
    elsif exists (select from order_transitions t where t.from_status = o.status and t.to_status = v_to) then
      commands := hold_commands(o.id, '{"kind": "cancel"}');
      return;
    end if;
  when 'expire' then
    if v_overdue then commands := hold_commands(o.id, '{"kind": "expire"}'); else plan := 'nothing'; end if;
    return;
  when 'note' then
    return;
  end case;
  if refusal is null and plan <> 'open' then
    refusal := jsonb_build_object('code', 'invalid_order_state',
      'detail', format('an order that is %s cannot become %s', case when v_overdue then 'expired' else o.status end, v_to),
      'extensions', jsonb_build_object('from', case when v_overdue then 'expired' else o.status end, 'to', v_to));
  end if;
end $$;
--> statement-breakpoint
-- Writes lines down, with the holds that were made for them.
create function order_write_lines(p_order_id text, p_priced jsonb, p_held boolean) returns void language sql as $$
  insert into order_lines (order_id, line, sku, quantity, unit_price_amount, unit_price_currency, location, reservation_id)
  select p_order_id, coalesce((select max(line) from order_lines where order_id = p_order_id), 0) + ord,
         l->>'sku', (l->>'quantity')::bigint, (l->>'amount')::bigint, l->>'currency', l->>'location',
         case when p_held then l->>'reservationId' end
    from jsonb_array_elements(p_priced) with ordinality as x(l, ord)
$$;
--> statement-breakpoint
-- Moves an order along and tells its timeline. The trigger on orders refuses a way that does not exist.
create function order_move(p_order_id text, p_from text, p_to text, step jsonb, p_reason text) returns jsonb
language sql as $$
  update orders set status = p_to, updated_at = clock_timestamp() where id = p_order_id;
  insert into order_events (order_id, from_status, to_status, reason, actor, trace_id, at)
  values (p_order_id, p_from, p_to, p_reason, step->>'actor', step->>'traceId', clock_timestamp());
  select jsonb_build_object('from', p_from, 'to', p_to);
$$;
--> statement-breakpoint
-- The soonest end of the holds that a stock result shows.
create function earliest_expiry(p_stock jsonb) returns timestamptz language sql immutable as $$
  select min((r->>'expiresAt')::timestamptz) from jsonb_array_elements(p_stock->'reservations') r
$$;
--> statement-breakpoint
-- The second half of a step: the ledger has done what was asked, or refused. Returns the step's result.
create function order_finish(step jsonb, o orders, p_plan text, p_priced jsonb, p_stock jsonb, p_refusal jsonb) returns jsonb
language plpgsql volatile as $$
declare
  v_refused boolean := coalesce(p_stock->>'outcome' = 'refused', false);
  v_refusal jsonb := p_refusal;
  v_moves jsonb := '[]';
  v_hold interval := make_interval(secs => coalesce((step->>'holdSeconds')::numeric, 0)::double precision);
begin
  if v_refused and p_plan in ('begin_confirm', 'refuse_payment', 'expire') then
    return '{"outcome": "again"}'; -- the clock passed an expiry between plan and ledger
  elsif v_refused then
    v_refusal := case p_stock->'refusal'->>'code'
      when 'insufficient_stock' then jsonb_build_object('code', 'insufficient_stock',
        'detail', format('insufficient stock: available=%s, requested=%s',
                         p_stock->'refusal'->>'available', p_stock->'refusal'->>'requested'),
        'extensions', (p_stock->'refusal') - 'code' - 'command')
      else jsonb_build_object('code', 'invalid_state', 'detail', 'the stock ledger refused: ' || (p_stock->'refusal')::text) end;
  end if;

  case p_plan
  when 'open', 'open_draft' then
    if v_refusal is not null and not v_refused then
      delete from orders where id = o.id; -- made in this transaction; nobody has seen it
      return jsonb_build_object('outcome', 'refused', 'state', null, 'transitions', '[]'::jsonb, 'refusal', v_refusal);
    end if;
    v_moves := jsonb_build_array(order_move(o.id, null, 'pending', step, null));
    if p_plan = 'open_draft' then
      update orders set expires_at = clock_timestamp() + make_interval(secs => (step->>'draftSeconds')::double precision)
       where id = o.id;
      v_moves := v_moves || order_move(o.id, 'pending', 'draft', step, null);
    else
      perform order_write_lines(o.id, p_priced, not v_refused);
      update orders
         set total_amount = (select sum((l->>'quantity')::bigint * (l->>'amount')::bigint) from jsonb_array_elements(p_priced) l),
             currency = p_priced->0->>'currency',
             expires_at = case when not v_refused then coalesce(earliest_expiry(p_stock), clock_timestamp() + v_hold) end,
             failure_code = v_refusal->>'code', failure_detail = v_refusal->>'detail'
       where id = o.id;
      if v_refused then
        v_moves := v_moves || order_move(o.id, 'pending', 'failed', step, v_refusal->>'detail');
      else
        v_moves := v_moves || order_move(o.id, 'pending', 'reserved', step, null);
        if (step->>'confirming')::boolean then
          v_moves := v_moves || order_move(o.id, 'reserved', 'confirming', step, null);
        end if;
      end if;
    end if;
  when 'add_line' then
    if v_refusal is null then
      perform order_write_lines(o.id, p_priced, true);
      update orders set expires_at = earliest_expiry(p_stock), currency = p_priced->0->>'currency',
                        total_amount = total_amount + (p_priced->0->>'quantity')::bigint * (p_priced->0->>'amount')::bigint
       where id = o.id;
      v_moves := v_moves || order_move(o.id, o.status, 'reserved', step, format('%s of %s added',
        p_priced->0->>'quantity', p_priced->0->>'sku'));
    end if;
  when 'begin_confirm' then
    if v_refusal is null then v_moves := v_moves || order_move(o.id, 'reserved', 'confirming', step, null); end if;
  when 'refuse_payment', 'refuse_last', 'refuse_late' then
    if v_refusal is null then
      perform payment_write(step->'payment');
      perform outbox_mails(step->'mails');
      update orders
         set refused_payments = refused_payments + 1, payment_id = step->'payment'->>'id',
             failure_code = case when p_plan = 'refuse_last' then step->'failure'->>'code' end,
             failure_detail = case when p_plan = 'refuse_last' then step->'failure'->>'detail' end
       where id = o.id;
      v_moves := v_moves || order_move(o.id, 'confirming',
        case p_plan when 'refuse_last' then 'failed' when 'refuse_late' then 'expired' else 'reserved' end,
        step, step->>'reason');
    end if;
  when 'settle' then
    if v_refusal is null then
      if step->'payment' <> 'null' then
        perform payment_write(step->'payment');
        update orders set payment_id = step->'payment'->>'id' where id = o.id;
      end if;
      perform outbox_mails(step->'mails');
      v_moves := v_moves || order_move(o.id, 'confirming', 'confirmed', step, null);
    end if;
  when 'close' then
    if v_refusal is null then
      if step->'payment' <> 'null' then
        perform payment_write(step->'payment');
        update orders set payment_id = step->'payment'->>'id' where id = o.id;
      end if;
      update orders
         set cancel_reason = case when step->>'to' = 'cancelled' then step->>'reason' end,
             failure_code = step->'failure'->>'code', failure_detail = step->'failure'->>'detail'
       where id = o.id;
      v_moves := v_moves || order_move(o.id, o.status, step->>'to', step, step->>'reason');
    end if;
  when 'expire' then
    -- also where another step found the order overdue; that step is then refused
    v_moves := v_moves || order_move(o.id, o.status, 'expired', step, 'its time ran out');
  when 'note' then
    insert into order_events (order_id, from_status, to_status, reason, actor, trace_id, at)
    values (o.id, o.status, o.status, step->>'reason', step->>'actor', step->>'traceId', clock_timestamp());
  when 'nothing' then
    null;
  end case;

  select * into o from orders where id = o.id;
  return jsonb_strip_nulls(jsonb_build_object('outcome', case when v_refusal is null then 'done' else 'refused' end,
                                              'refusal', v_refusal))
      || jsonb_build_object('state', order_state(o), 'transitions', v_moves);
end $$;
--> statement-breakpoint
create function order_apply(p_steps jsonb) returns jsonb language plpgsql volatile as $$
declare
  v_count int := jsonb_array_length(p_steps);
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
  step jsonb;
  o orders;
begin
  insert into orders (id, status, customer_id, customer_name, customer_email, workflow_id, created_at, updated_at)
  select s->>'orderId', 'pending', s->'customer'->>'id', s->'customer'->>'name', s->'customer'->>'email',
         s->>'workflowId', clock_timestamp(), clock_timestamp()
    from jsonb_array_elements(p_steps) s where s->>'step' = 'open' order by s->>'orderId'
  on conflict (id) do nothing;
  perform from orders where id in (select s->>'orderId' from jsonb_array_elements(p_steps) s) order by id for update;
  -- after the locks, so that an equal step of another process has either committed or waits for us
  select coalesce(jsonb_object_agg(key, result), '{}') into v_known
    from order_steps where key in (select s->>'key' from jsonb_array_elements(p_steps) s);

  for i in 1 .. v_count loop
    step := p_steps->(i - 1);
    if v_known ? (step->>'key') then
      v_results[i] := v_known->(step->>'key');
      if step->>'step' = 'open' and v_results[i]->'state' = 'null' then
        delete from orders where id = step->>'orderId' and status = 'pending';
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
    if (v_plan.refusal is null or v_plan.plan = 'expire') and jsonb_array_length(v_plan.commands) > 0 then
      v_operations := v_operations || jsonb_build_object('key', (step->>'key') || '/' || v_plan.plan, 'commands', v_plan.commands,
        'actor', step->>'actor', 'reference', step->>'orderId', 'reason', step->>'reason');
      v_operation[i] := jsonb_array_length(v_operations) - 1;
    end if;
  end loop;

  if v_operations <> '[]' then v_stock := stock_apply(v_operations); end if;

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
   order by s->>'key';
  return to_jsonb(v_results);
end $$;
--> statement-breakpoint
-- Records a payment that belongs to no order, and the mails that must follow.
create function payment_record(p_payment jsonb, p_mails jsonb) returns void language sql as $$
  select payment_write(p_payment);
  select outbox_mails(p_mails);
$$;
