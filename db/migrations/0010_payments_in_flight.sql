ALTER TABLE "payments" ADD COLUMN "choice" jsonb;--> statement-breakpoint
ALTER TABLE "payments" ADD COLUMN "abandoned" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
-- A payment in flight is written down with the step that begins it, and with it how it is to be paid. A workflow task that
-- is lost after it has acted runs again, perhaps with wishes that it did not know the first time: what it finds here tells
-- it what it has begun, so that a payment is gone on with or undone and never forgotten, and never undone once it is
-- settled.

-- Whether this payment of the order is begun and not decided.
create function payment_in_flight(o orders, p_payment_id text) returns boolean language sql stable as $$
  select o.status = 'confirming' and o.payment_id = p_payment_id and p_payment_id is not null
$$;
--> statement-breakpoint
-- Begins a payment of an order that goes on to confirming: null where there is nothing to pay by card.
create function payment_begin(p_order_id text, p_intent jsonb) returns void language plpgsql as $$
begin
  if coalesce(p_intent, 'null') = 'null' then
    update orders set payment_id = null where id = p_order_id;
    return;
  end if;
  insert into payments (id, status, amount, currency, order_id, customer_id, customer_email, reference, choice)
  select p_intent->>'paymentId', 'pending', o.total_amount, o.currency, o.id, o.customer_id, o.customer_email, o.id,
         p_intent->'choice'
    from orders o where o.id = p_order_id;
  update orders set payment_id = p_intent->>'paymentId' where id = p_order_id;
end $$;
--> statement-breakpoint
-- The order as a step answers it; while it is confirming with its payment in flight, and after a refusal with the reason.
create or replace function order_state(o orders) returns jsonb language sql volatile as $$
  select jsonb_build_object(
    'status', o.status,
    'totalAmount', o.total_amount,
    'currency', o.currency,
    'expiresInMs', case when o.status in ('draft', 'reserved')
                        then ceil(extract(epoch from o.expires_at - clock_timestamp()) * 1000) end,
    'inFlight', case when o.status = 'confirming' then (
      select jsonb_build_object('paymentId', p.id, 'choice', p.choice, 'abandoned', to_jsonb(p.abandoned))
        from payments p where p.id = o.payment_id) end,
    'refused', case when o.status <> 'confirming' then (
      select jsonb_build_object('code', p.failure_code, 'detail', p.failure_detail)
        from payments p where p.id = o.payment_id and p.failure_code is not null) end)
$$;
--> statement-breakpoint
-- Writes a payment down, once it is decided. One that is settled is never changed by a late repetition, and a card that was
-- given up settles nothing. How it was to be paid is forgotten then.
create or replace function payment_write(p jsonb) returns void language sql as $$
  insert into payments (id, status, amount, currency, order_id, customer_id, customer_email, reference, card_used,
                        fraud_score, attempts, refunded, provider_reference, failure_code, failure_detail)
  values (p->>'id', p->>'status', (p->>'amount')::bigint, p->>'currency', p->>'orderId', p->>'customerId', p->>'email',
          p->>'reference', p->>'cardUsed', p->>'fraudScore', coalesce(p->'attempts', '[]'),
          case when p->>'status' = 'refunded' then (p->>'amount')::bigint else 0 end,
          p->>'providerReference', p->'failure'->>'code', p->'failure'->>'detail')
  on conflict (id) do update
    set status = excluded.status, refunded = excluded.refunded, card_used = excluded.card_used,
        fraud_score = excluded.fraud_score, attempts = excluded.attempts, provider_reference = excluded.provider_reference,
        failure_code = excluded.failure_code, failure_detail = excluded.failure_detail, choice = null,
        updated_at = clock_timestamp()
    where payments.status in ('pending', 'authorized')
      and not (excluded.status = 'captured' and excluded.card_used = any (payments.abandoned))
$$;
--> statement-breakpoint
-- How a payment stands.
create function payment_standing(p_id text) returns jsonb language sql volatile as $$
  select jsonb_build_object('status', status, 'failure', case when failure_code is not null
           then jsonb_build_object('code', failure_code, 'detail', failure_detail) end)
    from payments where id = p_id
$$;
--> statement-breakpoint
drop function payment_record(jsonb, jsonb);
--> statement-breakpoint
-- Records a payment that belongs to no order, and the mails that must follow. Answers how it stands: otherwise than it was
-- to be recorded where it was decided before, or its card was given up.
create function payment_record(p_payment jsonb, p_mails jsonb) returns jsonb language plpgsql volatile as $$
declare
  v_standing jsonb;
begin
  perform payment_write(p_payment);
  v_standing := payment_standing(p_payment->>'id');
  if v_standing->>'status' = p_payment->>'status' then perform outbox_mails(p_mails); end if;
  return v_standing;
end $$;
--> statement-breakpoint
-- Gives a card of a payment that belongs to no order up: from here on it can settle nothing. Answers how the payment stands:
-- `pending`, or decided before.
create function payment_abandon(p_payment jsonb, p_card text) returns jsonb language plpgsql volatile as $$
begin
  insert into payments (id, status, amount, currency, customer_id, customer_email, reference, abandoned)
  values (p_payment->>'id', 'pending', (p_payment->>'amount')::bigint, p_payment->>'currency', p_payment->>'customerId',
          p_payment->>'email', p_payment->>'reference', array[p_card])
  on conflict (id) do update set abandoned = array_append(payments.abandoned, p_card), updated_at = clock_timestamp()
    where payments.status = 'pending' and not (p_card = any (payments.abandoned));
  return payment_standing(p_payment->>'id');
end $$;
--> statement-breakpoint
-- The first half of a step: may it be done, and what does it ask of the ledger? Changes nothing.
-- `plan` says what order_finish does once the ledger has answered.
create or replace function order_plan(step jsonb, o orders, out plan text, out commands jsonb, out priced jsonb, out refusal jsonb)
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
    elsif o.status = 'confirming' then
      plan := 'nothing'; -- begun by a workflow task that was lost: its payment is to be taken up
      return;
    end if;
  when 'abandon_card' then
    v_to := 'reserved';
    if payment_in_flight(o, step->>'paymentId') then return; end if;
  when 'refuse_payment' then
    v_to := 'reserved';
    if payment_in_flight(o, step->'payment'->>'id') then
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
    if (step->'payment' = 'null' and o.status = 'confirming' and o.payment_id is null)
       or (payment_in_flight(o, step->'payment'->>'id')
           and not exists (select from payments p where p.id = o.payment_id and step->'payment'->>'cardUsed' = any (p.abandoned))) then
      commands := hold_commands(o.id, '{"kind": "confirm"}');
      return;
    end if;
  when 'close' then
    v_to := step->>'to';
    if o.status = v_to then
      plan := 'nothing';
      return;
    elsif o.status = 'confirming' and o.payment_id is not null and not payment_in_flight(o, step->'payment'->>'id') then
      null; -- there is a payment that nobody has dealt with
    elsif exists (select from order_transitions t where t.from_status = o.status and t.to_status = v_to) then
      commands := hold_commands(o.id, '{"kind": "cancel"}');
      return;
    end if;
  when 'expire' then
    if v_overdue then commands := hold_commands(o.id, '{"kind": "expire"}'); else plan := 'nothing'; end if;
    return;
  when 'await_supplier' then
    v_to := 'awaiting_restock';
    if o.status = 'awaiting_restock' then return; end if;
  when 'restock' then
    v_to := 'reserved';
    if o.status = 'awaiting_restock' then
      -- the last one, if every other line is held whole; its own operations are made of the step itself
      if not exists (select from order_lines l
                      where l.order_id = o.id and l.line <> (step->>'line')::int
                        and not exists (select from reservations r where r.id = l.reservation_id and r.status = 'pending'
                                                                     and r.quantity = l.quantity)) then
        plan := 'restock_last';
      end if;
      return;
    end if;
  when 'release' then
    if o.status = 'awaiting_restock' then commands := hold_commands(o.id, '{"kind": "cancel"}'); else plan := 'nothing'; end if;
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
-- The second half of a step: the ledger has done what was asked, or refused. Returns the step's result.
create or replace function order_finish(step jsonb, o orders, p_plan text, p_priced jsonb, p_stock jsonb, p_refusal jsonb) returns jsonb
language plpgsql volatile as $$
declare
  v_refused boolean := coalesce(p_stock->>'outcome' = 'refused', false);
  v_shortages jsonb := case when p_plan = 'open_short' then p_priced->'shortages' end;
  v_refusal jsonb := p_refusal;
  v_moves jsonb := '[]';
  v_hold interval := make_interval(secs => coalesce((step->>'holdSeconds')::numeric, 0)::double precision);
begin
  if v_refused and p_plan in ('open_short', 'restock', 'restock_last', 'release') then
    raise exception 'step % found the stock other than it left it: %', step->>'key', p_stock->'refusal';
  elsif v_refused and p_plan in ('begin_confirm', 'refuse_payment', 'expire') then
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
          perform payment_begin(o.id, step->'payment');
          v_moves := v_moves || order_move(o.id, 'reserved', 'confirming', step, null);
        end if;
      end if;
    end if;
  when 'open_short' then
    p_priced := p_priced->'held';
    perform order_write_lines(o.id, p_priced, true);
    update orders
       set total_amount = (select sum((l->>'quantity')::bigint * (l->>'amount')::bigint) from jsonb_array_elements(p_priced) l),
           currency = p_priced->0->>'currency'
     where id = o.id;
    v_moves := jsonb_build_array(
      order_move(o.id, null, 'pending', step, null),
      order_move(o.id, 'pending', 'awaiting_restock', step, (
        select 'asking for ' || string_agg(format('%s of %s from supplier %s', s->>'quantity', s->>'sku', s->>'supplierId'), ', ' order by ord)
          from jsonb_array_elements(v_shortages) with ordinality as x(s, ord))));
  when 'await_supplier' then
    if v_refusal is null then
      update orders set supplier_reference = step->>'reference', updated_at = clock_timestamp() where id = o.id;
      perform order_tell(o.id, o.status, step, 'accepted by the supplier: ' || (step->>'reference'));
    end if;
  when 'restock', 'restock_last' then
    if v_refusal is null then
      update order_lines set reservation_id = step->>'reservationId' where order_id = o.id and line = (step->>'line')::int;
      if p_plan = 'restock' then
        perform order_tell(o.id, o.status, step, step->>'reason');
      else
        update orders set expires_at = coalesce(earliest_expiry(p_stock), clock_timestamp() + v_hold) where id = o.id;
        v_moves := v_moves || order_move(o.id, 'awaiting_restock', 'reserved', step, step->>'reason');
        if (step->>'confirming')::boolean then
          perform payment_begin(o.id, step->'payment');
          v_moves := v_moves || order_move(o.id, 'reserved', 'confirming', step, null);
        end if;
      end if;
    end if;
  when 'release' then
    perform order_tell(o.id, o.status, step, step->>'reason');
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
    if v_refusal is null then
      perform payment_begin(o.id, step->'payment');
      v_moves := v_moves || order_move(o.id, 'reserved', 'confirming', step, null);
    end if;
  when 'abandon_card' then
    if v_refusal is null then
      update payments set abandoned = array_append(abandoned, step->>'card'), updated_at = clock_timestamp()
       where id = o.payment_id and not (step->>'card' = any (abandoned));
    end if;
  when 'refuse_payment', 'refuse_last', 'refuse_late' then
    if v_refusal is null then
      perform payment_write(step->'payment');
      perform outbox_mails(step->'mails');
      update orders
         set refused_payments = refused_payments + 1,
             failure_code = case when p_plan = 'refuse_last' then step->'failure'->>'code' end,
             failure_detail = case when p_plan = 'refuse_last' then step->'failure'->>'detail' end
       where id = o.id;
      v_moves := v_moves || order_move(o.id, 'confirming',
        case p_plan when 'refuse_last' then 'failed' when 'refuse_late' then 'expired' else 'reserved' end,
        step, step->>'reason');
    end if;
  when 'settle' then
    if v_refusal is null then
      if step->'payment' <> 'null' then perform payment_write(step->'payment'); end if;
      perform outbox_mails(step->'mails');
      v_moves := v_moves || order_move(o.id, 'confirming', 'confirmed', step, null);
    end if;
  when 'close' then
    if v_refusal is null then
      if step->'payment' <> 'null' then perform payment_write(step->'payment'); end if;
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
      || case when v_shortages is null then '{}' else jsonb_build_object('shortages', v_shortages) end
      || jsonb_build_object('state', order_state(o), 'transitions', v_moves);
end $$;
--> statement-breakpoint
create or replace function order_apply(p_steps jsonb) returns jsonb language plpgsql volatile as $$
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
  v_short record;
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
