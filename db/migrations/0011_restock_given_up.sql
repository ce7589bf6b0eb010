CREATE TABLE "payment_transitions" (
	"from_status" text NOT NULL,
	"to_status" text NOT NULL,
	CONSTRAINT "payment_transitions_from_status_to_status_pk" PRIMARY KEY("from_status","to_status")
);
--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "restock_given_up" boolean DEFAULT false NOT NULL;
--> statement-breakpoint
-- The table of domain/payment-states.ts.
insert into payment_transitions (from_status, to_status) values
  ('pending', 'authorized'), ('pending', 'captured'), ('pending', 'declined'), ('pending', 'blocked'), ('pending', 'failed'), ('pending', 'voided'), ('pending', 'refunded'),
  ('authorized', 'captured'), ('authorized', 'declined'), ('authorized', 'failed'), ('authorized', 'voided'),
  ('captured', 'partially_refunded'), ('captured', 'refunded'),
  ('partially_refunded', 'refunded');
--> statement-breakpoint
create function refuse_unknown_payment_transition() returns trigger language plpgsql as $$
begin
  if not exists (select from payment_transitions where from_status = old.status and to_status = new.status) then
    raise exception 'payment % cannot go from % to %', old.id, old.status, new.status using errcode = 'check_violation';
  end if;
  return new;
end $$;
--> statement-breakpoint
create trigger payments_transition before update of status on payments
  for each row when (old.status is distinct from new.status) execute function refuse_unknown_payment_transition();
--> statement-breakpoint
-- Giving up what suppliers are asked for, before it is cancelled at them: from here on nothing comes in for this order any
-- more. Of `restock` and this one wins, whichever runs of a workflow task meet; the lines that are whole by then have come
-- in, and are not to be cancelled.
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
