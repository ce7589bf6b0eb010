-- Refunds. The amount and the units of a refund are reserved before the processor is asked, so that refunds at the same time
-- never return more than was paid. Order, payment, refund and stock change in one transaction. Locks are taken in one
-- order: orders by id, payments by id, refunds by id, then (inside stock_apply) levels.

-- What can still be refunded of each line of an order: its units and the money for them. Refunds that failed count for
-- nothing. Shares are computed from what is left, so all units together give back exactly what was paid, even where a
-- refund between them failed. `restocked`: units that came back; `returned`: units of refunds that brought them back.
create or replace function refundable_lines(o orders)
returns table (line smallint, sku text, location text, units bigint, money bigint, restocked bigint, returned bigint)
language sql stable as $$
  select l.line, l.sku, l.location, l.quantity - l.refunded_units,
         l.quantity * l.unit_price_amount - l.discount + case when o.taxes_included then 0 else l.tax end - coalesce(g.money, 0),
         coalesce(g.restocked, 0), coalesce(g.returned, 0)
    from order_lines l
    left join (
      select (x->>'line')::smallint as line,
             sum((x->>'amount')::bigint) filter (where r.status <> 'failed')::bigint as money,
             sum((x->>'restocked')::bigint)::bigint as restocked,
             sum((x->>'quantity')::bigint) filter (where r.status = 'succeeded' and r.restock)::bigint as returned
        from refunds r, jsonb_array_elements(r.lines) x where r.order_id = o.id group by 1) g on g.line = l.line
   where l.order_id = o.id
$$;

-- What `p_quantity` of `p_units` units give back of the money that is left for all of them (domain/orders/money.ts, shareOfUnits).
create or replace function share_of_units(p_money bigint, p_units bigint, p_quantity bigint) returns bigint
language sql immutable return p_quantity * (p_money / p_units) + least(p_money % p_units, p_quantity);

-- What a refund of an order returns (domain/payments/refunds.ts, planRefund). `p_left`: what is left of the money.
create or replace function refund_plan(p_request jsonb, o orders, p_left bigint,
                                       out amount bigint, out lines jsonb, out charges boolean, out refusal jsonb)
language plpgsql stable as $$
declare
  v_all boolean := p_request->'amount' = 'null' and jsonb_array_length(p_request->'lines') = 0
                   and not (p_request->>'charges')::boolean;
  v_charges bigint := (select c.amount + case when o.taxes_included then 0 else c.tax end from charge_sums(o.charges) c);
  v_bad record;
begin
  charges := (v_all or (p_request->>'charges')::boolean) and v_charges > 0 and not o.charges_refunded;
  with asked as (
    select a->>'sku' as sku, sum((a->>'quantity')::bigint)::bigint as quantity
      from jsonb_array_elements(p_request->'lines') a group by 1
  ), had as (
    select l.sku, sum(l.units)::bigint as units from refundable_lines(o) l group by 1
  )
  select a.sku, h.units into v_bad
    from asked a left join had h on h.sku = a.sku
   where h.sku is null or h.units < a.quantity order by h.sku is not null, a.sku limit 1;
  if found then
    refusal := case when v_bad.units is null then
        refuse('validation_failed', jsonb_build_object('rule', 'line_of_order', 'sku', v_bad.sku))
      else refuse('over_refund', jsonb_build_object('available', p_left, 'sku', v_bad.sku, 'units', v_bad.units)) end;
    return;
  end if;

  with taken as (
    select l.line, l.sku, l.location, l.money, l.units,
           case when v_all then l.units else greatest(0, least(l.units, a.quantity - coalesce(sum(l.units) over earlier, 0))) end::bigint as quantity
      from refundable_lines(o) l
      left join (select x->>'sku' as sku, sum((x->>'quantity')::bigint)::bigint as quantity
                   from jsonb_array_elements(p_request->'lines') x group by 1) a on a.sku = l.sku
     where l.units > 0 and (v_all or a.sku is not null)
    window earlier as (partition by l.sku order by l.line rows between unbounded preceding and 1 preceding)
  ), share as (
    select t.*, share_of_units(t.money, t.units, t.quantity) as amount from taken t where t.quantity > 0
  )
  select coalesce(jsonb_agg(jsonb_build_object('line', s.line, 'sku', s.sku, 'location', s.location, 'quantity', s.quantity,
                                               'amount', s.amount) order by s.line), '[]'),
         coalesce(sum(s.amount), 0)::bigint
    into lines, amount
    from share s;
  amount := case when v_all then p_left
                 else coalesce((p_request->>'amount')::bigint, amount + case when charges then v_charges else 0 end) end;
  if amount > p_left or (amount = 0 and (lines = '[]' or v_all and o.total_amount > 0))
     or ((p_request->>'charges')::boolean and v_charges > 0 and not charges) then
    refusal := refuse('over_refund', jsonb_build_object('available', p_left));
  end if;
end $$;

-- The refund in the result of a step (domain/payments/refunds.ts, RefundState).
create or replace function refund_state(r refunds) returns jsonb language sql stable
return jsonb_build_object('status', r.status, 'amount', r.amount, 'currency', r.currency, 'orderId', r.order_id,
  'paymentId', r.payment_id, 'gateway', r.gateway, 'attempts', r.attempts, 'restocked', r.restocked,
  'authorizationId', (select provider_reference from payments where id = r.payment_id),
  'failure', case when r.failure_code is not null
                  then jsonb_build_object('code', r.failure_code, 'detail', r.failure_detail) end);

-- Moves the sums of a refund's order and payment, and their statuses with them. Constraints refuse what exceeds the money.
-- What disputes took is limited by what refunds leave.
create or replace function refund_sums(r refunds, p_reserved bigint, p_refunded bigint) returns void language plpgsql as $$
begin
  update payments
     set refund_reserved = refund_reserved + p_reserved, refunded = refunded + p_refunded,
         disputed = least(disputes_took(id), amount - refunded - p_refunded - refund_reserved - p_reserved),
         status = case when refunded + p_refunded = 0 then 'captured'
                       when refunded + p_refunded = amount then 'refunded' else 'partially_refunded' end,
         updated_at = clock_timestamp()
   where id = r.payment_id;
  update orders
     set refund_reserved = refund_reserved + p_reserved, refunded_amount = refunded_amount + p_refunded,
         status = case when refunded_amount + p_refunded = 0 then 'confirmed'
                       when refunded_amount + p_refunded = total_amount then 'refunded' else 'partially_refunded' end,
         updated_at = clock_timestamp()
   where id = r.order_id;
end $$;

-- Adds or takes back the units and the charges of a refund. `p_sign`: 1 or -1.
create or replace function refund_units(r refunds, p_sign int) returns void language plpgsql as $$
begin
  update order_lines l set refunded_units = l.refunded_units + p_sign * (x->>'quantity')::bigint
    from jsonb_array_elements(r.lines) x
   where l.order_id = r.order_id and l.line = (x->>'line')::smallint;
  if r.charges then update orders set charges_refunded = p_sign > 0 where id = r.order_id; end if;
end $$;

-- Begins a refund: decides what it returns, and reserves that. Leaves a row, or a refusal and nothing.
create or replace function refund_begin(step jsonb) returns jsonb language plpgsql as $$
declare
  o orders;
  p payments;
  r refunds;
  v_left bigint;
  v_plan record;
begin
  if step->>'orderId' is not null then
    select * into o from orders where id = step->>'orderId';
    if o.id is null then return step_without_row(refuse('not_found', jsonb_build_object('orderId', step->'orderId'))); end if;
    if o.status not in ('confirmed', 'partially_refunded', 'refunded') then
      return step_without_row(refuse('invalid_order_state', jsonb_build_object('from', o.status, 'to', 'refunded')));
    end if;
    select * into p from payments where id = o.payment_id;
  else
    select * into p from payments where id = step->>'paymentId';
    if p.id is null then return step_without_row(refuse('not_found', jsonb_build_object('paymentId', step->'paymentId'))); end if;
    select * into o from orders where id = p.order_id and payment_id = p.id;
  end if;
  if p.id is not null and p.status not in ('captured', 'partially_refunded', 'refunded') then
    return step_without_row(refuse('invalid_state', jsonb_build_object('paymentId', p.id, 'from', p.status, 'to', 'refunded')));
  elsif p.id is not null and not p.refundable then
    return step_without_row(refuse('payment_disputed', jsonb_build_object('paymentId', p.id)));
  end if;
  v_left := case when p.id is null then o.total_amount - o.refunded_amount - o.refund_reserved
                 else greatest(0, p.amount - p.refunded - p.refund_reserved - p.disputed) end;

  if step->>'orderId' is not null then
    select * into v_plan from refund_plan(step->'request', o, v_left);
  else
    select a.amount, '[]'::jsonb as lines, false as charges,
           case when a.amount = 0 or a.amount > v_left then refuse('over_refund', jsonb_build_object('available', v_left)) end as refusal
      into v_plan from (select coalesce((step->'request'->>'amount')::bigint, v_left) as amount) a;
  end if;
  if v_plan.refusal is not null then return step_without_row(v_plan.refusal); end if;

  insert into refunds (id, order_id, payment_id, gateway, amount, currency, status, origin, lines, charges, restock, reason,
                       actor, trace_id, created_at)
  values (step->>'refundId', o.id, p.id, case when v_plan.amount > 0 then p.gateway end, v_plan.amount,
          coalesce(p.currency, o.currency), 'pending', 'holdfast', v_plan.lines, v_plan.charges,
          (step->'request'->>'restock')::boolean and v_plan.lines <> '[]', step->>'reason', step->>'actor', step->>'traceId',
          (step->>'requestedAt')::timestamptz)
  returning * into r;
  perform refund_sums(r, r.amount, 0);
  perform refund_units(r, 1);
  perform refund_audit(r, 'refund.requested', step);
  return step_result(null, refund_state(r), '[{"from": null, "to": "pending"}]');
end $$;

-- The commands that bring a refund's units back to the stock. Units that an earlier refund brought back, and whose money
-- came back to us, are not brought back twice. `lines`: the refund's lines with the units of each.
create or replace function refund_restock(r refunds, out lines jsonb, out commands jsonb) language sql stable as $$
  select jsonb_agg(u.x || jsonb_build_object('restocked', u.units) order by u.ord),
         coalesce(jsonb_agg(jsonb_build_object('kind', 'return', 'sku', u.x->'sku', 'location', u.x->'location', 'quantity', u.units)
                            order by u.ord) filter (where u.units > 0), '[]')
    from (select x, ord, greatest(0, least((x->>'quantity')::bigint, l.returned + (x->>'quantity')::bigint - l.restocked)) as units
            from jsonb_array_elements(r.lines) with ordinality as e(x, ord)
            join orders o on o.id = r.order_id
            join lateral refundable_lines(o) l on l.line = (x->>'line')::smallint) u
$$;

-- A timeline entry about a refund of an order.
create or replace function refund_entry(r refunds, p_from text, p_code text, step jsonb, p_facts jsonb) returns void
language sql as $$
  select order_entry(o.id, p_from, o.status, jsonb_build_object('actor', coalesce(step->>'actor', r.actor), 'traceId', r.trace_id),
           p_code, p_facts || jsonb_build_object('refundId', r.id, 'amount', r.amount, 'currency', r.currency))
    from orders o where o.id = r.order_id
$$;

-- Books a refund that the processor has made, or that needs no processor: sums, statuses, timeline, mail. The caller passes
-- `commands` to the ledger in the same transaction.
create or replace function refund_settle(step jsonb, r refunds, out result jsonb, out commands jsonb) language plpgsql as $$
declare
  v_lines jsonb := r.lines;
  v_from text := (select status from orders where id = r.order_id);
begin
  commands := '[]';
  if r.restock and not r.restocked then
    select b.lines, b.commands into v_lines, commands from refund_restock(r) b;
  end if;
  update refunds
     set status = 'succeeded', settled_at = clock_timestamp(), failure_code = null, failure_detail = null,
         provider_reference = coalesce(step->>'providerReference', provider_reference),
         restocked = r.restocked or r.restock, lines = v_lines
   where id = r.id returning * into r;
  perform refund_sums(r, -r.amount, r.amount);
  perform refund_entry(r, v_from, 'refunded', step, jsonb_build_object('reason', r.reason));
  perform refund_audit(r, 'refund.settled', step);
  insert into outbox (topic, dedup_key, payload)
  select 'mail', 'refund/' || r.id, jsonb_build_object('template', 'refund', 'refundId', r.id)
   where r.amount > 0
     and coalesce((select customer_email from payments where id = r.payment_id),
                  (select customer_email from orders where id = r.order_id)) is not null
  on conflict (topic, dedup_key) do nothing;
  if found then perform pg_notify('outbox', ''); end if;
  result := step_result(null, refund_state(r), '[{"from": "pending", "to": "succeeded"}]');
end $$;

-- Records that a refund failed: its amount and units can be refunded again. One that had succeeded before has left nobody
-- who waits for it, so its review is opened here. Goods that came back stay.
create or replace function refund_fail(step jsonb, r refunds) returns jsonb language plpgsql as $$
declare
  v_from text := (select status from orders where id = r.order_id);
  v_was text := r.status;
begin
  update refunds
     set status = 'failed', settled_at = clock_timestamp(), attempts = attempts + 1,
         provider_reference = coalesce(step->>'providerReference', provider_reference),
         failure_code = step->'failure'->>'code', failure_detail = step->'failure'->>'detail'
   where id = r.id returning * into r;
  perform refund_units(r, -1);
  if v_was = 'pending' then perform refund_sums(r, -r.amount, 0); else perform refund_sums(r, 0, -r.amount); end if;
  perform refund_entry(r, v_from, 'refund_failed', step, jsonb_build_object('code', r.failure_code));
  perform refund_audit(r, 'refund.failed', step);
  if v_was = 'succeeded' then
    insert into manual_reviews (id, kind, subject, detail, attempts, last_error)
    values ('rev_' || md5(r.id || '/' || r.attempts), 'refund_failed', 'refund/' || r.id,
            jsonb_build_object('refundId', r.id, 'orderId', r.order_id, 'paymentId', r.payment_id, 'amount', r.amount,
                               'currency', r.currency, 'failure', r.failure_code, 'afterSuccess', true, 'restocked', r.restocked),
            r.attempts, r.failure_detail)
    on conflict do nothing;
  end if;
  return step_result(null, refund_state(r), jsonb_build_array(jsonb_build_object('from', v_was, 'to', 'failed')));
end $$;

-- What a refund that failed returns when it is tried again (domain/payments/refunds.ts, replanRefund): the same units, for
-- their share of what is left by now. Null where units or charges were refunded otherwise.
create or replace function refund_replan(r refunds, o orders, out amount bigint, out lines jsonb) language plpgsql stable as $$
declare
  v_charges bigint := case when r.charges then
    (select c.amount + case when o.taxes_included then 0 else c.tax end from charge_sums(o.charges) c) else 0 end;
  v_before bigint := v_charges + coalesce((select sum((x->>'amount')::bigint) from jsonb_array_elements(r.lines) x), 0);
  v_missing boolean;
begin
  if r.charges and o.charges_refunded then return; end if;
  select coalesce(bool_or(l.units < u.quantity), false) into v_missing
    from jsonb_array_elements(r.lines) x
    join lateral (select (x->>'quantity')::bigint as quantity) u on true
    join refundable_lines(o) l on l.line = (x->>'line')::smallint;
  if v_missing then return; end if;
  select coalesce(jsonb_agg(x || jsonb_build_object('amount', s.amount) order by ord), '[]'),
         case when r.amount = v_before then v_charges + coalesce(sum(s.amount), 0)::bigint else r.amount end
    into lines, amount
    from jsonb_array_elements(r.lines) with ordinality as e(x, ord)
    join refundable_lines(o) l on l.line = (x->>'line')::smallint
    join lateral (select share_of_units(l.money, l.units, (x->>'quantity')::bigint) as amount) s on true;
end $$;

-- Reserves a refund that failed once more, for another attempt.
create or replace function refund_retry(step jsonb, r refunds) returns jsonb language plpgsql as $$
declare
  o orders;
  p payments;
  v_left bigint;
  v_amount bigint := r.amount;
  v_lines jsonb := r.lines;
begin
  select * into o from orders where id = r.order_id;
  select * into p from payments where id = r.payment_id;
  if p.id is not null and not p.refundable then
    return step_result(refuse('payment_disputed', jsonb_build_object('paymentId', p.id)), refund_state(r), '[]');
  end if;
  v_left := case when p.id is null then o.total_amount - o.refunded_amount - o.refund_reserved
                 else greatest(0, p.amount - p.refunded - p.refund_reserved - p.disputed) end;
  if o.id is not null then select amount, lines into v_amount, v_lines from refund_replan(r, o); end if;
  if v_amount is null or v_amount > v_left then
    return step_result(refuse('over_refund', jsonb_build_object('available', v_left)), refund_state(r), '[]');
  end if;
  update refunds
     set status = 'pending', settled_at = null, failure_code = null, failure_detail = null, provider_reference = null,
         amount = v_amount, lines = v_lines, gateway = case when v_amount > 0 then p.gateway end
   where id = r.id returning * into r;
  perform refund_sums(r, r.amount, 0);
  perform refund_units(r, 1);
  perform refund_audit(r, 'refund.retried', step);
  return step_result(null, refund_state(r), '[{"from": "failed", "to": "pending"}]');
end $$;

-- The store of refunds (db/refunds/store.ts; domain/payments/refunds.ts has the shapes). A refund's status decides whether a
-- step is due: a repeated step finds it done and returns the refund as it is. `attempt` keeps the steps of one attempt away
-- from another; null: whichever the refund is at.
create or replace function refund_apply(p_steps jsonb) returns jsonb language plpgsql volatile
-- As for order_apply.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  v_count int := jsonb_array_length(p_steps);
  v_ids text[] := array(select s->>'refundId' from jsonb_array_elements(p_steps) s);
  v_orders text[] := array(select s->>'orderId' from jsonb_array_elements(p_steps) s where s->>'orderId' is not null
                           union select order_id from refunds where id = any (v_ids) and order_id is not null);
  v_payments text[] := array(select s->>'paymentId' from jsonb_array_elements(p_steps) s where s->>'paymentId' is not null
                             union select payment_id from refunds where id = any (v_ids) and payment_id is not null);
  v_results jsonb[] := array_fill(null::jsonb, array[v_count]);
  v_operations jsonb := '[]';
  v_settled record;
  step jsonb;
  r refunds;
begin
  v_orders := v_orders || array(select order_id from payments where id = any (v_payments) and order_id is not null);
  perform from orders where id = any (v_orders) order by id for update;
  v_payments := v_payments || array(select payment_id from orders where id = any (v_orders) and payment_id is not null);
  perform from payments where id = any (v_payments) order by id for update;
  perform from refunds where id = any (v_ids) order by id for update;

  for i in 1 .. v_count loop
    step := p_steps->(i - 1);
    select * into r from refunds where id = v_ids[i];
    if r.id is null then
      v_results[i] := case when step->>'step' = 'begin' then refund_begin(step)
        else step_without_row(refuse('not_found', jsonb_build_object('refundId', v_ids[i]))) end;
    elsif step->>'step' = 'retry' and r.status = 'failed' and r.attempts = (step->>'attempt')::int then
      v_results[i] := refund_retry(step, r);
    elsif r.attempts is distinct from coalesce((step->>'attempt')::int, r.attempts) then
      v_results[i] := step_result(null, refund_state(r), '[]');
    elsif step->>'step' = 'accept' and r.status = 'pending' then
      update refunds set provider_reference = step->>'providerReference' where id = r.id returning * into r;
      v_results[i] := step_result(null, refund_state(r), '[]');
    elsif step->>'step' = 'settle' and r.status = 'pending' then
      select * into v_settled from refund_settle(step, r);
      v_results[i] := v_settled.result;
      if v_settled.commands <> '[]' then
        v_operations := v_operations || jsonb_build_object('key', 'refund/' || r.id || '/restock', 'commands', v_settled.commands,
          'actor', r.actor, 'reference', r.order_id, 'reason', r.reason);
      end if;
    elsif step->>'step' = 'fail' and r.status in ('pending', 'succeeded') then
      v_results[i] := refund_fail(step, r);
    else
      v_results[i] := step_result(null, refund_state(r), '[]');
    end if;
  end loop;

  if v_operations <> '[]'
     and exists (select from jsonb_array_elements(stock_apply(v_operations)::jsonb) a where a->>'outcome' <> 'done') then
    raise exception 'the ledger refused to take back the goods of a refund: %', v_operations;
  end if;
  return to_jsonb(v_results);
end $$;
