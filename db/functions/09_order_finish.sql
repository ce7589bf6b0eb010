-- The one door to orders. A step changes an order, its stock, its payment and what must follow, in one transaction;
-- an array of steps shares that transaction. Locks are taken in one global order: orders by id, then (inside
-- stock_apply) reservations, then levels. The shapes are those of domain/order-steps.ts.

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

-- A fact about an order that does not move it, on its timeline.
create or replace function order_tell(p_order_id text, p_status text, step jsonb, p_reason text) returns void language sql as $$
  insert into order_events (order_id, from_status, to_status, reason, actor, trace_id, at)
  values (p_order_id, p_status, p_status, p_reason, step->>'actor', step->>'traceId', clock_timestamp());
$$;

-- Moves an order along and tells its timeline. The trigger on orders refuses a way that does not exist.
create or replace function order_move(p_order_id text, p_from text, p_to text, step jsonb, p_reason text) returns jsonb
language sql as $$
  update orders set status = p_to, updated_at = clock_timestamp() where id = p_order_id;
  insert into order_events (order_id, from_status, to_status, reason, actor, trace_id, at)
  values (p_order_id, p_from, p_to, p_reason, step->>'actor', step->>'traceId', clock_timestamp());
  select jsonb_build_object('from', p_from, 'to', p_to);
$$;

-- The soonest end of the holds that a stock result shows.
create or replace function earliest_expiry(p_stock jsonb) returns timestamptz language sql immutable as $$
  select min((r->>'expiresAt')::timestamptz) from jsonb_array_elements(p_stock->'reservations') r
$$;

-- The second half of a step: the ledger has done what was asked, or refused. Returns the step's result.
create or replace function order_finish(step jsonb, o orders, p_plan text, p_priced jsonb, p_stock jsonb, p_refusal jsonb) returns jsonb
language plpgsql volatile as $$
declare
  v_refused boolean := coalesce(p_stock->>'outcome' = 'refused', false);
  v_shortages jsonb := case when p_plan = 'open_short' then p_priced->'shortages' end;
  v_refusal jsonb := p_refusal;
  v_moves jsonb := '[]';
  v_received jsonb;
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
  when 'give_up_restock' then
    if v_refusal is null then
      update orders set restock_given_up = true, updated_at = clock_timestamp() where id = o.id;
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
  v_received := case when p_plan = 'give_up_restock' then (
    select coalesce(jsonb_agg(l.line order by l.line), '[]')
      from order_lines l join reservations r on r.id = l.reservation_id
     where l.order_id = o.id and r.status = 'pending' and r.quantity = l.quantity) end;
  return jsonb_strip_nulls(jsonb_build_object('outcome', case when v_refusal is null then 'done' else 'refused' end,
                                              'refusal', v_refusal))
      || case when v_shortages is null then '{}' else jsonb_build_object('shortages', v_shortages) end
      || case when v_received is null then '{}' else jsonb_build_object('received', v_received) end
      || jsonb_build_object('state', order_state(o), 'transitions', v_moves);
end $$;
