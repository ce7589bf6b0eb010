-- The second half of an order's step: its changes once the ledger has answered.

-- The order in the result of a step: with its payment in flight while it is confirming, else with the reason why its payment
-- was refused.
create or replace function order_state(o orders) returns jsonb language sql volatile as $$
  select jsonb_build_object(
    'status', o.status,
    'totalAmount', o.total_amount,
    'currency', o.currency,
    'expiresInMs', case when o.status in ('draft', 'reserved')
                        then ceil(extract(epoch from o.expires_at - clock_timestamp()) * 1000) end,
    'inFlight', case when o.status = 'confirming' then (
      select jsonb_build_object('paymentId', p.id, 'choice', p.choice, 'gateway', p.gateway,
                                'abandoned', to_jsonb(p.abandoned))
        from payments p where p.id = o.payment_id) end,
    'refused', case when o.status <> 'confirming' then (
      select jsonb_build_object('code', p.failure_code, 'detail', p.failure_detail)
        from payments p where p.id = o.payment_id and p.failure_code is not null) end)
$$;

-- Adds a timeline entry. Its reason is the caller's text, or a code with facts that domain/orders/timeline.ts words.
create or replace function order_entry(p_order_id text, p_from text, p_to text, step jsonb, p_reason text, p_facts jsonb)
returns void language sql as $$
  insert into order_events (order_id, from_status, to_status, reason, facts, actor, trace_id, at)
  values (p_order_id, p_from, p_to, p_reason, p_facts, step->>'actor', step->>'traceId', clock_timestamp());
$$;

-- Moves an order and adds a timeline entry. The trigger on orders refuses an unknown transition.
create or replace function order_move(p_order_id text, p_from text, p_to text, step jsonb, p_reason text, p_facts jsonb)
returns jsonb language sql as $$
  update orders set status = p_to, updated_at = clock_timestamp() where id = p_order_id;
  insert into order_events (order_id, from_status, to_status, reason, facts, actor, trace_id, at)
  values (p_order_id, p_from, p_to, p_reason, p_facts, step->>'actor', step->>'traceId', clock_timestamp());
  select jsonb_build_object('from', p_from, 'to', p_to);
$$;

-- The earliest expiry of the holds in a stock result.
create or replace function earliest_expiry(p_stock jsonb) returns timestamptz language sql immutable as $$
  select min((r->>'expiresAt')::timestamptz) from jsonb_array_elements(p_stock->'reservations') r
$$;

-- Moves an order whose lines are all held to `reserved`, and to `confirming` if the step continues to the payment.
create or replace function order_reserved(step jsonb, p_order_id text, p_from text, p_reason text) returns jsonb
language plpgsql as $$
declare
  v_moves jsonb := jsonb_build_array(order_move(p_order_id, p_from, 'reserved', step, p_reason, null));
begin
  if (step->>'confirming')::boolean then
    perform payment_begin(p_order_id, step->'payment');
    v_moves := v_moves || order_move(p_order_id, 'reserved', 'confirming', step, null, null);
  elsif step ? 'retryAfterSeconds' then
    perform order_entry(p_order_id, 'reserved', 'reserved', step, 'customer_limit_reached',
                        jsonb_build_object('retryAfterSeconds', step->'retryAfterSeconds'));
  end if;
  return v_moves;
end $$;

-- Makes an order's tags those of its row, for lists by tag.
create or replace function order_write_tags(o orders) returns void language sql as $$
  delete from order_tags where order_id = o.id and not (tag = any (o.tags));
  insert into order_tags (tag, created_at, order_id) select unnest(o.tags), o.created_at, o.id
  on conflict do nothing
$$;

-- Opens an order with its priced lines: reserved, failed for lack of stock, or (p_shortages) awaiting its suppliers.
create or replace function order_open(step jsonb, o orders, p_priced jsonb, p_stock jsonb, p_refusal jsonb, p_shortages jsonb)
returns jsonb language plpgsql as $$
declare
  v_moves jsonb := jsonb_build_array(order_move(o.id, null, 'pending', step, null, null));
begin
  perform order_write_lines(o.id, p_priced, p_refusal is null);
  update orders
     set subtotal_amount = s.subtotal, discount_amount = s.discount, tax_amount = tax_amount + s.tax,
         total_amount = total_amount + s.total, currency = p_priced->0->>'currency',
         expires_at = case when p_refusal is null and p_shortages is null then
           coalesce(earliest_expiry(p_stock),
                    clock_timestamp() + make_interval(secs => (step->>'holdSeconds')::double precision)) end,
         failure_code = p_refusal->>'code', failure_detail = p_refusal->>'detail', failure_facts = p_refusal->'facts'
    from line_sums(p_priced, o.taxes_included) s
   where id = o.id;
  if p_refusal is not null then
    return v_moves || order_move(o.id, 'pending', 'failed', step, p_refusal->>'code', p_refusal->'facts');
  elsif p_shortages is not null then
    return v_moves || order_move(o.id, 'pending', 'awaiting_restock', step, 'suppliers_asked', (
      select jsonb_build_object('shortages', jsonb_agg(jsonb_build_object(
               'quantity', s->'quantity', 'sku', s->'sku', 'supplierId', s->'supplierId') order by ord))
        from jsonb_array_elements(p_shortages) with ordinality as x(s, ord)));
  end if;
  return v_moves || order_reserved(step, o.id, 'pending', null);
end $$;

-- Does a step that is not refused. Returns the transitions.
create or replace function order_do(step jsonb, o orders, p_plan text, p_priced jsonb, p_stock jsonb) returns jsonb
language plpgsql as $$
begin
  case p_plan
  when 'open_draft' then
    update orders set expires_at = clock_timestamp() + make_interval(secs => (step->>'draftSeconds')::double precision)
     where id = o.id;
    return jsonb_build_array(order_move(o.id, null, 'pending', step, null, null),
                             order_move(o.id, 'pending', 'draft', step, null, null));
  when 'await_supplier' then
    update orders set supplier_reference = step->>'reference', updated_at = clock_timestamp() where id = o.id;
    perform order_entry(o.id, o.status, o.status, step, 'supplier_accepted',
                        jsonb_build_object('reference', step->'reference'));
  when 'restock', 'restock_last' then
    update order_lines set reservation_id = step->>'reservationId' where order_id = o.id and line = (step->>'line')::int;
    if p_plan = 'restock_last' then
      update orders
         set expires_at = coalesce(earliest_expiry(p_stock),
                                   clock_timestamp() + make_interval(secs => (step->>'holdSeconds')::double precision))
       where id = o.id;
      return order_reserved(step, o.id, 'awaiting_restock', step->>'reason');
    end if;
    perform order_entry(o.id, o.status, o.status, step, step->>'reason', null);
  when 'give_up_restock' then
    update orders set restock_given_up = true, updated_at = clock_timestamp() where id = o.id;
  when 'release', 'note' then
    perform order_entry(o.id, o.status, o.status, step, step->>'reason', null);
  when 'add_line' then
    perform order_write_lines(o.id, p_priced, true);
    update orders
       set subtotal_amount = coalesce(subtotal_amount, total_amount) + s.subtotal,
           discount_amount = discount_amount + s.discount,
           tax_amount = tax_amount + s.tax, total_amount = total_amount + s.total, currency = p_priced->0->>'currency',
           expires_at = earliest_expiry(p_stock)
      from line_sums(p_priced, o.taxes_included) s
     where id = o.id;
    return jsonb_build_array(order_move(o.id, o.status, 'reserved', step, 'line_added',
      jsonb_build_object('sku', p_priced->0->'sku', 'quantity', p_priced->0->'quantity')));
  when 'begin_confirm' then
    perform payment_begin(o.id, step->'payment');
    return jsonb_build_array(order_move(o.id, 'reserved', 'confirming', step, null, null));
  when 'abandon_card' then
    update payments set abandoned = array_append(abandoned, step->>'card'), updated_at = clock_timestamp()
     where id = o.payment_id and not (step->>'card' = any (abandoned));
  when 'refuse_payment', 'refuse_last', 'refuse_late' then
    perform payment_write(payment_of_step(step));
    perform outbox_mails(step->'mails');
    update orders
       set refused_payments = refused_payments + 1,
           failure_code = case when p_plan = 'refuse_last' then step->'failure'->>'code' end,
           failure_detail = case when p_plan = 'refuse_last' then step->'failure'->>'detail' end
     where id = o.id;
    return jsonb_build_array(order_move(o.id, 'confirming',
      case p_plan when 'refuse_last' then 'failed' when 'refuse_late' then 'expired' else 'reserved' end,
      step, step->>'reason', null));
  when 'settle' then
    if step->'payment' <> 'null' then perform payment_write(payment_of_step(step)); end if;
    perform outbox_mails(step->'mails');
    return jsonb_build_array(order_move(o.id, 'confirming', 'confirmed', step, null, null));
  when 'close' then
    if step->'payment' <> 'null' then perform payment_write(payment_of_step(step)); end if;
    update orders
       set cancel_reason = case when step->>'to' = 'cancelled' then step->>'reason' end,
           failure_code = step->'failure'->>'code', failure_detail = step->'failure'->>'detail'
     where id = o.id;
    return jsonb_build_array(order_move(o.id, o.status, step->>'to', step, step->>'reason', null));
  when 'nothing', 'expire_early' then
    null;
  end case;
  return '[]';
end $$;

-- Finishes a step after the ledger has done or refused its commands. Returns the step's result.
create or replace function order_finish(step jsonb, o orders, p_plan text, p_priced jsonb, p_stock jsonb, p_refusal jsonb)
returns jsonb language plpgsql volatile as $$
declare
  v_refused boolean := coalesce(p_stock->>'outcome' = 'refused', false);
  v_refusal jsonb := case when v_refused then ledger_refusal(p_stock) else p_refusal end;
  v_shortages jsonb;
  v_moves jsonb := '[]';
  v_result jsonb;
begin
  if v_refused and p_plan in ('open_short', 'restock', 'restock_last', 'release') then
    raise exception 'the ledger refused step %, which its plan had allowed: %', step->>'key', p_stock->'refusal';
  elsif v_refused and p_plan in ('begin_confirm', 'refuse_payment', 'expire') then
    return '{"outcome": "again"}'; -- an expiry passed between plan and ledger
  end if;

  if p_plan like 'open%' and p_refusal is null then perform order_write_tags(o); end if;
  if p_plan = 'open_short' then
    v_shortages := p_priced->'shortages';
    v_moves := order_open(step, o, p_priced->'held', p_stock, null, v_shortages);
  elsif p_plan in ('open', 'open_draft') and p_refusal is not null then
    delete from orders where id = o.id; -- created in this transaction, so not visible to others
    return step_without_row(p_refusal);
  elsif p_plan = 'open' then
    v_moves := order_open(step, o, p_priced, p_stock, v_refusal, null);
  elsif p_plan = 'expire' then
    -- also for another step that found the order overdue, and is refused
    v_moves := jsonb_build_array(order_move(o.id, o.status, 'expired', step, 'time_ran_out', '{}'));
  elsif v_refusal is null then
    v_moves := order_do(step, o, p_plan, p_priced, p_stock);
  end if;

  select * into o from orders where id = o.id;
  v_result := step_result(v_refusal, order_state(o), v_moves);
  if step ? 'retryAfterSeconds' and v_refusal is null and o.status = 'reserved' then
    v_result := v_result || jsonb_build_object('retryAfterSeconds', step->'retryAfterSeconds');
  end if;
  if v_shortages is not null then
    v_result := v_result || jsonb_build_object('shortages', v_shortages);
  elsif p_plan = 'give_up_restock' then
    v_result := v_result || jsonb_build_object('received', (
      select coalesce(jsonb_agg(l.line order by l.line), '[]')
        from order_lines l join reservations r on r.id = l.reservation_id
       where l.order_id = o.id and r.status = 'pending' and r.quantity = l.quantity));
  end if;
  return v_result;
end $$;
