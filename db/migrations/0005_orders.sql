-- The one door to orders. A step changes an order, its stock, its payment and what must follow, in one transaction;
-- an array of steps shares that transaction. Locks are taken in one global order: orders by id, then (inside
-- stock_apply) reservations, then levels. The shapes are those of domain/order-steps.ts.

-- The order as a step answers it; while it is confirming with its payment in flight, and after a refusal with the reason.
create function order_state(o orders) returns jsonb language sql volatile as $$
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
-- What the lines of an order lack at this moment, each with the active supplier of its SKU, and the lines as they can be
-- held meanwhile: a line that is there in part gets a hold of its own for that part. Lines take in their order. `shortages`
-- is null where a SKU that lacks has no active supplier. To be asked with the levels locked.
create function order_shortages(p_priced jsonb, out shortages jsonb, out held jsonb) language plpgsql volatile as $$
declare
  v_orphans bigint;
begin
  with line as (
    select ord as line, l, l->>'sku' as sku, l->>'location' as location, (l->>'quantity')::bigint as quantity
      from jsonb_array_elements(p_priced) with ordinality as x(l, ord)
  ), filled as (
    select line.*, s.id as supplier_id, s.url,
           greatest(0, coalesce(v.on_hand - v.reserved, 0) - coalesce(sum(line.quantity) over earlier, 0))::bigint as available
      from line
      join products p on p.sku = line.sku
      left join suppliers s on s.id = p.supplier_id and s.active
      left join stock_levels v on v.sku = line.sku and v.location = line.location
    window earlier as (partition by line.sku, line.location order by line.line
                       rows between unbounded preceding and 1 preceding)
  )
  select count(*) filter (where available < quantity and supplier_id is null),
         jsonb_agg(jsonb_build_object('line', line, 'sku', sku, 'location', location, 'available', available,
                                      'requested', quantity, 'quantity', quantity - available, 'supplierId', supplier_id,
                                      'url', url, 'reservationId', l->>'reservationId') order by line)
           filter (where available < quantity),
         jsonb_agg(l || jsonb_build_object('held', least(available, quantity), 'reservationId', case
             when available >= quantity then l->>'reservationId'
             when available > 0 then l->>'reservationId' || 'p' end) order by line)
    into v_orphans, shortages, held
    from filled;
  if v_orphans > 0 then shortages := null; end if;
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
-- The operations by which the goods that one line lacked come in and are held, the line as a whole: what was held of it
-- before goes into the new hold. With the last such line the holds' time starts, unless the order goes on to payment.
create function restock_operations(step jsonb, o orders, p_last boolean) returns jsonb language plpgsql volatile as $$
declare
  v_line order_lines;
  v_hold_seconds jsonb := case when p_last and not (step->>'confirming')::boolean then step->'holdSeconds' else 'null' end;
  v_commands jsonb := '[]';
begin
  select * into v_line from order_lines where order_id = o.id and line = (step->>'line')::int;
  if v_line.reservation_id is not null then
    v_commands := jsonb_build_array(jsonb_build_object('kind', 'cancel', 'reservationId', v_line.reservation_id));
  end if;
  v_commands := v_commands || jsonb_build_object('kind', 'reserve', 'reservationId', step->'reservationId',
    'sku', v_line.sku, 'location', v_line.location, 'quantity', v_line.quantity, 'holdSeconds', v_hold_seconds, 'orderId', o.id);
  if v_hold_seconds <> 'null' then
    select v_commands || coalesce(jsonb_agg(jsonb_build_object('kind', 'hold', 'reservationId', r.id,
                                                               'holdSeconds', v_hold_seconds) order by r.id), '[]')
      into v_commands
      from order_lines l join reservations r on r.id = l.reservation_id
     where l.order_id = o.id and l.line <> v_line.line and r.status = 'pending';
  end if;
  return jsonb_build_array(
    jsonb_build_object('key', (step->>'key') || '/receive', 'actor', step->>'actor', 'reference', step->>'reference',
      'reason', 'restock of ' || o.id,
      'commands', jsonb_build_array(jsonb_build_object('kind', 'receive', 'sku', v_line.sku, 'location', v_line.location,
                                                       'quantity', step->'quantity'))),
    jsonb_build_object('key', (step->>'key') || '/hold', 'actor', step->>'actor', 'reference', o.id,
      'reason', 'restocked by ' || (step->>'reference'), 'commands', v_commands));
end $$;
--> statement-breakpoint
-- The operation that holds what is there of an order's lines, without an end; none where nothing is there.
create function short_operations(step jsonb, p_held jsonb) returns jsonb language sql immutable as $$
  select case when count(*) = 0 then '[]' else jsonb_build_array(jsonb_build_object(
           'key', (step->>'key') || '/open_short', 'actor', step->>'actor', 'reference', step->>'orderId',
           'reason', 'held until the rest is there',
           'commands', reserve_commands(step->>'orderId',
             jsonb_agg(l || jsonb_build_object('quantity', l->'held') order by ord), null))) end
    from jsonb_array_elements(p_held) with ordinality as x(l, ord)
   where (l->>'held')::bigint > 0
$$;
--> statement-breakpoint
-- The first half of a step: may it be done, and what does it ask of the ledger? Changes nothing.
-- `plan` says what order_finish does once the ledger has answered.
-- Of `restock` and `give_up_restock` one wins, whichever runs of a workflow task meet: once it is given up nothing comes in
-- for the order any more, and the lines that are whole by then have come in and are not to be cancelled.
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
    if o.status = 'awaiting_restock' and not o.restock_given_up then
      -- the last one, if every other line is held whole; its own operations are made of the step itself
      if not exists (select from order_lines l
                      where l.order_id = o.id and l.line <> (step->>'line')::int
                        and not exists (select from reservations r where r.id = l.reservation_id and r.status = 'pending'
                                                                     and r.quantity = l.quantity)) then
        plan := 'restock_last';
      end if;
      return;
    end if;
  when 'give_up_restock' then
    v_to := 'failed';
    if o.status = 'awaiting_restock' then return; end if;
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
-- Writes lines down, with the holds that were made for them.
create function order_write_lines(p_order_id text, p_priced jsonb, p_held boolean) returns void language sql as $$
  insert into order_lines (order_id, line, sku, quantity, unit_price_amount, unit_price_currency, location, reservation_id)
  select p_order_id, coalesce((select max(line) from order_lines where order_id = p_order_id), 0) + ord,
         l->>'sku', (l->>'quantity')::bigint, (l->>'amount')::bigint, l->>'currency', l->>'location',
         case when p_held then l->>'reservationId' end
    from jsonb_array_elements(p_priced) with ordinality as x(l, ord)
$$;
--> statement-breakpoint

-- A fact about an order that does not move it, on its timeline.
create function order_tell(p_order_id text, p_status text, step jsonb, p_reason text) returns void language sql as $$
  insert into order_events (order_id, from_status, to_status, reason, actor, trace_id, at)
  values (p_order_id, p_status, p_status, p_reason, step->>'actor', step->>'traceId', clock_timestamp());
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
