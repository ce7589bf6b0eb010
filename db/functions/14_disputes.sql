-- Disputes, as the processor's books show them. They hold money back from refunds and never touch stock.

-- The money that banks have taken because of disputes: of lost ones, and of open ones while the payment cannot be refunded.
create or replace function disputes_took(p_payment_id text) returns bigint language sql stable as $$
  select coalesce(sum(amount), 0)::bigint from disputes
   where payment_id = p_payment_id and (status = 'lost' or status = 'open' and not refundable)
$$;

-- Opens the review of a dispute that is new or goes on, closes it when the dispute is decided, and tells the managers.
-- `p_from`: its status before; null: it is new.
create or replace function dispute_announce(d disputes, p_from text, step jsonb) returns void language plpgsql as $$
declare
  v_facts jsonb := jsonb_build_object('disputeId', d.id, 'status', d.status, 'amount', d.amount, 'currency', d.currency,
                                      'reason', d.reason);
begin
  update manual_reviews
     set status = 'resolved',
         resolution = jsonb_build_object('by', 'success', 'resolution', 'succeeded', 'note', 'the dispute is ' || d.status,
                                         'actor', step->>'actor', 'at', to_jsonb(clock_timestamp()))
   where kind = 'dispute' and subject = 'dispute/' || d.id and status = 'open';
  if d.status in ('inquiry', 'open') then
    insert into manual_reviews (id, kind, subject, detail, attempts, last_error)
    values ('rev_' || md5(d.id || '/' || d.status), 'dispute', 'dispute/' || d.id,
            v_facts || jsonb_build_object('paymentId', d.payment_id, 'orderId', d.order_id, 'gateway', d.gateway,
                                          'providerReference', d.provider_reference, 'refundable', d.refundable), 0, null)
    on conflict do nothing;
  end if;
  insert into outbox (topic, dedup_key, payload)
  values ('notice', 'dispute/' || d.id || '/' || d.status,
          v_facts || jsonb_build_object('template', 'dispute', 'paymentId', d.payment_id, 'orderId', d.order_id))
  on conflict (topic, dedup_key) do nothing;
  if found then perform pg_notify('outbox', ''); end if;
  perform order_entry(o.id, o.status, o.status, step, 'dispute', v_facts) from orders o where o.id = d.order_id;
end $$;

-- Takes over the disputes of a payment from the processor's books. One that was decided is never undecided again.
create or replace function disputes_adopt(p payments, p_order_id text, p_booked jsonb, step jsonb) returns void
language plpgsql as $$
declare
  x jsonb;
  d disputes;
  v_from text;
begin
  for x in select value from jsonb_array_elements(p_booked) order by value->>'openedAt', value->>'providerReference' loop
    select * into d from disputes where gateway = p.gateway and provider_reference = x->>'providerReference';
    v_from := d.status;
    continue when v_from in ('won', 'lost', 'closed') and x->>'status' in ('inquiry', 'open');
    insert into disputes (id, payment_id, order_id, gateway, amount, currency, reason, status, refundable, opened_at, closed_at,
                          provider_reference)
    values ('dsp_' || md5(p.gateway || '/' || (x->>'providerReference')), p.id, p_order_id, p.gateway, (x->>'amount')::bigint,
            x->>'currency', x->>'reason', x->>'status', (x->>'refundable')::boolean, (x->>'openedAt')::timestamptz,
            case when x->>'status' in ('won', 'lost', 'closed')
                 then coalesce((x->>'closedAt')::timestamptz, d.closed_at, clock_timestamp()) end,
            x->>'providerReference')
    on conflict (gateway, provider_reference) do update
      set amount = excluded.amount, reason = excluded.reason, status = excluded.status, refundable = excluded.refundable,
          closed_at = excluded.closed_at
    returning * into d;
    if d.status is distinct from v_from then perform dispute_announce(d, v_from, step); end if;
  end loop;
end $$;
