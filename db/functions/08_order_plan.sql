-- The first half of a step: decides whether it may be done, and with which commands to the ledger. Changes nothing. `plan` is
-- what order_finish does once the ledger has answered. The first of `restock` and `give_up_restock` wins, even between two
-- runs of one workflow task: after giving up, no goods are received for the order, and lines that are whole by then have
-- been received and must not be cancelled at the supplier.
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
      refusal := total_refusal(0, o.total_amount, coalesce(step->'money'->'expectedTotal'->>'currency', o.currency),
                               step->'money'->'expectedTotal');
      return;
    end if;
    select * into v_price from order_price(step->'lines', o.taxes_included);
    refusal := coalesce(v_price.refusal, total_refusal(v_price.subtotal, o.total_amount + v_price.total, v_price.currency,
                                                       step->'money'->'expectedTotal'));
    priced := v_price.priced;
    if refusal is null then
      commands := reserve_commands(o.id, priced,
        case when (step->>'confirming')::boolean then null else (step->>'holdSeconds')::numeric end);
    end if;
  when 'add_line' then
    v_to := 'reserved';
    if o.status not in ('draft', 'reserved') or v_overdue then
      if v_overdue then plan := 'expire'; commands := hold_commands(o.id, '{"kind": "expire"}'); end if;
    elsif (select count(*) from order_lines where order_id = o.id) >= max_order_lines() then
      refusal := refuse('validation_failed', jsonb_build_object('rule', 'max_lines', 'max', max_order_lines()));
    else
      select * into v_price from order_price(jsonb_build_array(step->'line'), o.taxes_included);
      refusal := v_price.refusal;
      priced := v_price.priced;
      if refusal is null and o.status = 'reserved' and v_price.currency <> o.currency then
        refusal := refuse('validation_failed', '{"rule": "one_currency"}');
      elsif refusal is null then
        refusal := total_refusal(o.subtotal_amount + v_price.subtotal, o.total_amount + v_price.total, v_price.currency, null);
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
      plan := 'nothing'; -- a lost workflow task has started the payment: the caller resumes it
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
      null; -- refused: the step would leave the order's payment undecided
    elsif exists (select from order_transitions t where t.from_status = o.status and t.to_status = v_to) then
      commands := hold_commands(o.id, '{"kind": "cancel"}');
      return;
    end if;
  when 'expire' then
    if v_overdue then commands := hold_commands(o.id, '{"kind": "expire"}'); else plan := 'expire_early'; end if;
    return;
  when 'await_supplier' then
    v_to := 'awaiting_restock';
    if o.status = 'awaiting_restock' then return; end if;
  when 'restock' then
    v_to := 'reserved';
    if o.status = 'awaiting_restock' and not o.restock_given_up then
      -- the last one if every other line is held whole; restock_operations builds the commands
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
    refusal := refuse('invalid_order_state', jsonb_build_object(
      'from', case when v_overdue then 'expired' else o.status end, 'to', v_to));
  end if;
end $$;
