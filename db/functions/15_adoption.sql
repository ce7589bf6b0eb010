-- Adoption: what the processor's books say of a payment of ours becomes ours. Somebody may have refunded it in the
-- processor's own pages, a refund may have failed days after it succeeded, a bank may have opened or decided a dispute.
-- The books are read afresh, so it does not matter how often, in which order or how late somebody tells us to look.

-- Whether an event of this type tells nothing new about a payment of this status.
create or replace function event_is_known(p_type text, p_status text) returns boolean language sql immutable
return case
  when p_status in ('pending', 'authorized') then false
  when p_type = 'payment_intent.succeeded' then p_status in ('captured', 'partially_refunded', 'refunded')
  else coalesce(p_type in ('payment_intent.amount_capturable_updated', 'payment_intent.payment_failed',
                           'payment_intent.canceled', 'charge.expired'), false)
end;

-- For each book, in order: our payment, and how it stands to the book. `unknown`: no payment of ours. `in_flight`: its
-- workflow is charging it; a payment without an order has no row until then. `undone`: a charge whose money went back has all
-- its refunds failed. `stale`: it was adopted after the reading of this book had begun. `same`: nothing to do.
create or replace function adoption_standings(p_books jsonb)
returns table (ord bigint, book jsonb, payment_id text, standing text) language sql stable as $$
  select e.ord, e.b, coalesce(p.id, e.b->>'paymentId'),
         case
           when p.id is null then case when e.b->>'paymentId' is null then 'unknown' else 'in_flight' end
           when p.status in ('pending', 'authorized') then 'in_flight'
           when p.status not in ('captured', 'partially_refunded', 'refunded')
             or p.provider_reference is distinct from e.b->>'authorizationId' then
             case when (select bool_and(x->>'status' = 'failed') from jsonb_array_elements(e.b->'refunds') x) then 'undone'
                  else 'same' end
           when p.refundable <> (e.b->>'refundable')::boolean
             or exists (select from jsonb_array_elements(e.b->'refunds') x
                         where not exists (select from refunds r
                                            where r.gateway = p.gateway and r.provider_reference = x->>'providerReference'
                                              and r.status = x->>'status'))
             or exists (select from jsonb_array_elements(e.b->'disputes') x
                         where not exists (select from disputes d
                                            where d.gateway = p.gateway and d.provider_reference = x->>'providerReference'
                                              and d.status = x->>'status' and d.amount = (x->>'amount')::bigint
                                              and d.refundable = (x->>'refundable')::boolean)) then
             case when p.adopted_at > (e.b->>'readAt')::timestamptz then 'stale' else 'differs' end
           else 'same'
         end
    from jsonb_array_elements(p_books) with ordinality e(b, ord)
    left join lateral (
      select * from payments
       where id in (select id from payments where provider_reference = e.b->>'authorizationId' and gateway = e.b->>'gateway'
                    union
                    select o.payment_id from provider_operations o
                     where o.provider_id = e.b->>'authorizationId' and o.gateway = e.b->>'gateway'
                    union
                    select id from payments where id = e.b->>'paymentId' and gateway = e.b->>'gateway')
       order by id limit 1) p on true
$$;

-- What is left of a payment for refunds that the processor has made already; disputes do not count.
create or replace function refund_room(r refunds) returns bigint language sql stable as $$
  select least((select amount - refunded - refund_reserved from payments where id = r.payment_id),
               (select total_amount - refunded_amount - refund_reserved from orders where id = r.order_id))
$$;

-- Records a refund that somebody made in the processor's own pages, as pending. Null where our own refunds under way have
-- reserved its money: the processor will refuse one of them.
create or replace function refund_from_processor(p payments, p_order_id text, x jsonb, step jsonb) returns refunds
language plpgsql as $$
declare
  r refunds;
begin
  r.id := 'rfd_' || md5(p.gateway || '/' || (x->>'providerReference'));
  r.payment_id := p.id;
  r.order_id := p_order_id;
  if (x->>'amount')::bigint > refund_room(r) then return null; end if;
  insert into refunds (id, order_id, payment_id, gateway, amount, currency, status, origin, reason, provider_reference, actor,
                       created_at)
  values (r.id, r.order_id, p.id, p.gateway, (x->>'amount')::bigint, p.currency, 'pending', 'processor',
          'made in the processor''s own pages', x->>'providerReference', step->>'actor', (x->>'at')::timestamptz)
  returning * into r;
  perform refund_sums(r, r.amount, 0);
  perform refund_audit(r, 'refund.adopted', step);
  return r;
end $$;

-- Takes over one refund from the processor's books. `outcome`: `done`; `workflow`: its own workflow is to look, `waiting`: its
-- money is reserved by other refunds. `commands`: for the ledger, in the same transaction.
create or replace function refund_adopt(p payments, p_order_id text, x jsonb, step jsonb, out outcome text, out refund_id text,
                                        out commands jsonb)
language plpgsql as $$
declare
  r refunds;
  v_settled record;
begin
  outcome := 'done';
  commands := '[]';
  select * into r from refunds
   where gateway = p.gateway and provider_reference = x->>'providerReference'
      or id = x->>'refundId' and payment_id = p.id and provider_reference is null
   order by provider_reference nulls last limit 1;
  refund_id := r.id;
  if r.status = x->>'status' and r.provider_reference is not null then return; end if;

  if r.id is null then
    if x->>'status' = 'failed' then return; end if;
    r := refund_from_processor(p, p_order_id, x, step);
    if r.id is null then outcome := 'waiting'; return; end if;
    refund_id := r.id;
  elsif r.status = 'pending' and r.origin = 'holdfast' then
    -- Its workflow knows its attempt, and asks the processor itself.
    outcome := 'workflow';
    return;
  elsif r.status = 'failed' and x->>'status' = 'failed' then
    update refunds set provider_reference = x->>'providerReference' where id = r.id;
    return;
  elsif r.status = 'failed' and x->>'status' = 'pending' then
    -- On its way after a person had closed the refund: it is read again, and left to a person if that takes long.
    outcome := 'waiting';
    return;
  elsif r.status = 'failed' and x->>'status' = 'succeeded' then
    -- The money went back after a person had closed the refund.
    if r.amount > refund_room(r) then outcome := 'waiting'; return; end if;
    if exists (select from jsonb_array_elements(r.lines) l join order_lines o on o.line = (l->>'line')::smallint
                where o.order_id = r.order_id and o.refunded_units + (l->>'quantity')::bigint > o.quantity)
       or r.charges and (select charges_refunded from orders where id = r.order_id) then
      -- Another refund has returned the same units meanwhile: what is left of this one is its money.
      update refunds set lines = '[]', charges = false, restock = false where id = r.id returning * into r;
    end if;
    perform refund_sums(r, r.amount, 0);
    perform refund_units(r, 1);
  end if;

  step := step || jsonb_build_object('providerReference', x->'providerReference');
  if x->>'status' = 'succeeded' and r.status <> 'succeeded' then
    select * into v_settled from refund_settle(step, r);
    commands := v_settled.commands;
  elsif x->>'status' = 'failed' and r.status <> 'failed' then
    perform refund_fail(step || jsonb_build_object('failure',
      jsonb_build_object('code', coalesce(x->>'failure', 'unknown'), 'detail', 'the processor reports that the refund failed')), r);
  end if;
end $$;

-- The money of a charge that was undone went back whole, and has no refund of ours. A person looks where it came back to us.
create or replace function undo_adopt(p payments, b jsonb) returns void language sql as $$
  insert into manual_reviews (id, kind, subject, detail, attempts, last_error)
  select 'rev_' || md5(p.id || '/undo/' || (b->>'authorizationId')), 'refund_failed', 'payment/' || p.id,
         jsonb_build_object('paymentId', p.id, 'orderId', p.order_id, 'amount', max((x->>'amount')::bigint),
                            'currency', p.currency, 'providerReference', b->>'authorizationId', 'afterSuccess', true,
                            'undo', true), 1,
         'the money of a charge that was undone has not reached the cardholder: ' || min(x->>'failure')
    from jsonb_array_elements(b->'refunds') x
  having bool_and(x->>'status' = 'failed')
  on conflict do nothing
$$;

-- Takes over the books of one payment. `outcome`: `done` or `waiting`. `workflows`: the refunds whose workflow is to look.
-- `operations`: for the ledger, in the same transaction.
create or replace function payment_adopt(p payments, b jsonb, out outcome text, out workflows text[], out operations jsonb)
language plpgsql as $$
declare
  v_step jsonb := jsonb_build_object('actor', 'processor:' || p.gateway);
  v_order_id text := (select id from orders
                       where id = p.order_id and payment_id = p.id and status in ('confirmed', 'partially_refunded', 'refunded'));
  v_one record;
  x jsonb;
begin
  outcome := 'done';
  workflows := '{}';
  operations := '[]';
  perform disputes_adopt(p, v_order_id, b->'disputes', v_step);
  update payments
     set refundable = (b->>'refundable')::boolean, disputed = least(disputes_took(id), amount - refunded - refund_reserved),
         adopted_at = (b->>'readAt')::timestamptz, updated_at = clock_timestamp()
   where id = p.id;
  if p.refunded <> (select coalesce(sum(amount), 0) from refunds where payment_id = p.id and status = 'succeeded') then
    perform undo_adopt(p, b);
    return;
  end if;

  -- What failed comes first: it makes room.
  for x in select value from jsonb_array_elements(b->'refunds')
            order by value->>'status' <> 'failed', value->>'at', value->>'providerReference' loop
    select * into v_one from refund_adopt(p, v_order_id, x, v_step);
    if v_one.outcome = 'workflow' then workflows := workflows || ('refund/' || v_one.refund_id); end if;
    if v_one.outcome = 'waiting' then outcome := 'waiting'; end if;
    if v_one.commands <> '[]' then
      operations := operations || jsonb_build_object('key', 'refund/' || v_one.refund_id || '/restock', 'commands', v_one.commands,
        'actor', v_step->'actor', 'reference', v_order_id, 'reason', null);
    end if;
  end loop;
end $$;

-- Takes over the processor's books of many payments (domain/payments/adoption.ts has the shapes). Locks only payments that
-- differ from their book, in the order of refund_apply. Returns an outcome for each book, in order.
create or replace function payments_adopt(p_books jsonb) returns jsonb language plpgsql volatile
-- As for order_apply.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  v_payments text[] := array(select s.payment_id from adoption_standings(p_books) s where s.standing = 'differs');
  v_results jsonb := '[]';
  v_operations jsonb := '[]';
  v_one record;
  s record;
  p payments;
begin
  perform from orders where id in (select order_id from payments where id = any (v_payments)) order by id for update;
  perform from payments where id = any (v_payments) order by id for update;
  perform from refunds where payment_id = any (v_payments) order by id for update;

  for s in select * from adoption_standings(p_books) order by ord loop
    select * into p from payments where id = s.payment_id;
    if s.standing = 'in_flight' then
      v_results := v_results || jsonb_build_object('outcome', 'in_flight', 'workflows',
        jsonb_build_array(coalesce('order/' || p.order_id, 'subscription/' || p.subscription_id, 'payment/' || s.payment_id)));
    elsif s.standing = 'undone' then
      perform undo_adopt(p, s.book);
      v_results := v_results || jsonb_build_object('outcome', 'done', 'workflows', '[]'::jsonb);
    elsif s.standing = 'stale' then
      v_results := v_results || jsonb_build_object('outcome', 'waiting', 'workflows', '[]'::jsonb);
    elsif s.standing <> 'differs' then
      v_results := v_results || jsonb_build_object('outcome', s.standing, 'workflows', '[]'::jsonb);
    elsif s.payment_id <> all (v_payments) then
      -- It changed after the locks were taken.
      v_results := v_results || jsonb_build_object('outcome', 'waiting', 'workflows', '[]'::jsonb);
    else
      select * into v_one from payment_adopt(p, s.book);
      v_results := v_results || jsonb_build_object('outcome', v_one.outcome, 'workflows', to_jsonb(v_one.workflows));
      v_operations := v_operations || v_one.operations;
    end if;
  end loop;

  if v_operations <> '[]'
     and exists (select from jsonb_array_elements(stock_apply(v_operations)::jsonb) a where a->>'outcome' <> 'done') then
    raise exception 'the ledger refused to take back the goods of a refund: %', v_operations;
  end if;
  return v_results;
end $$;
