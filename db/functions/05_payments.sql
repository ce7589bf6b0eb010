-- Payments. The step that starts a payment records it with its cards. A workflow task that is lost after it has acted runs
-- again, perhaps with commands that it had not received before. It finds the started payment here, so a payment is always
-- resumed or undone, and never undone once it is settled.

-- Whether this is the order's payment and it is in flight.
create or replace function payment_in_flight(o orders, p_payment_id text) returns boolean language sql stable as $$
  select o.status = 'confirming' and o.payment_id = p_payment_id and p_payment_id is not null
$$;

-- Starts the payment of an order that becomes confirming. None starts where nothing is paid by card or the order costs
-- nothing.
create or replace function payment_begin(p_order_id text, p_intent jsonb) returns void language plpgsql as $$
begin
  if coalesce(p_intent, 'null') = 'null' or exists (select from orders where id = p_order_id and total_amount = 0) then
    update orders set payment_id = null where id = p_order_id;
    return;
  end if;
  insert into payments (id, status, amount, currency, order_id, customer_id, customer_email, reference, choice,
                        gateway)
  select p_intent->>'paymentId', 'pending', o.total_amount, o.currency, o.id, o.customer_id, o.customer_email, o.id,
         p_intent->'choice', coalesce(p_intent->>'gateway', 'sandbox')
    from orders o where o.id = p_order_id;
  update orders set payment_id = p_intent->>'paymentId' where id = p_order_id;
end $$;

-- Queues mails, at most one for each payment and template, and wakes the relays.
create or replace function outbox_mails(p_mails jsonb) returns void language plpgsql as $$
begin
  if jsonb_array_length(coalesce(p_mails, '[]')) = 0 then return; end if;
  insert into outbox (topic, dedup_key, payload)
  select 'mail', m->>'template' || '/' || (m->>'paymentId'), m from jsonb_array_elements(p_mails) m
  on conflict (topic, dedup_key) do nothing;
  perform pg_notify('outbox', '');
end $$;

-- Records how a payment was decided (domain/payments/record.ts), and what follows from that. A late repetition never changes a
-- settled payment, and a card that was given up settles nothing. The decision deletes the card tokens.
create or replace function payment_write(p jsonb) returns void language plpgsql as $$
begin
  insert into payments (id, status, amount, currency, order_id, customer_id, customer_email, reference, card_used,
                        fraud_score, attempts, refunded, provider_reference, failure_code, failure_detail, created_at,
                        gateway)
  values (p->>'id', p->>'status', (p->>'amount')::bigint, p->>'currency', p->>'orderId', p->>'customerId', p->>'email',
          p->>'reference', p->>'cardUsed', p->>'fraudScore', coalesce(p->'attempts', '[]'),
          case when p->>'status' = 'refunded' then (p->>'amount')::bigint else 0 end,
          p->>'providerReference', p->'failure'->>'code', p->'failure'->>'detail',
          -- the time of the request, which a 202 may already have shown
          coalesce((p->>'requestedAt')::timestamptz, clock_timestamp()), coalesce(p->>'gateway', 'sandbox'))
  on conflict (id) do update
    set status = excluded.status, refunded = excluded.refunded, card_used = excluded.card_used,
        fraud_score = excluded.fraud_score, attempts = excluded.attempts, provider_reference = excluded.provider_reference,
        failure_code = excluded.failure_code, failure_detail = excluded.failure_detail, choice = null,
        updated_at = clock_timestamp()
    where payments.status in ('pending', 'authorized')
      and not (excluded.status = 'captured' and excluded.card_used = any (payments.abandoned));
  if found then perform payment_decided(p); end if;
end $$;

-- A payment's standing (domain/orders/steps.ts, PaymentStanding).
create or replace function payment_standing(p_id text) returns jsonb language sql volatile as $$
  select jsonb_build_object('status', status, 'failure', case when failure_code is not null
           then jsonb_build_object('code', failure_code, 'detail', failure_detail) end)
    from payments where id = p_id
$$;

-- Records a payment without an order, and queues its mails. Returns its standing, which differs from the given status if the
-- payment was decided before or its card was given up.
create or replace function payment_record(p_payment jsonb, p_mails jsonb) returns jsonb language plpgsql volatile as $$
declare
  v_standing jsonb;
begin
  perform payment_write(p_payment);
  v_standing := payment_standing(p_payment->>'id');
  if v_standing->>'status' = p_payment->>'status' then perform outbox_mails(p_mails); end if;
  return v_standing;
end $$;

-- Holds off other transactions that give up a card of this payment or store its id at the processor. The payment may have no
-- row to lock yet.
create or replace function payment_lock(p_id text) returns void language sql as $$
  select pg_advisory_xact_lock(hashtextextended('payment/' || p_id, 0))
$$;

-- Stores the processor's id of a card's operation before money moves, unless the card was given up. Returns the stored id,
-- which is the first one; null for a card that was given up. The undo of a card gives it up first, so it finds every id that
-- is ever stored here.
create or replace function provider_remember(p_payment_id text, p_card text, p_gateway text, p_provider_id text) returns text
language plpgsql volatile as $$
declare
  v_stored text;
begin
  perform payment_lock(p_payment_id);
  perform from payments where id = p_payment_id for share;
  if exists (select from payments where id = p_payment_id and p_card = any (abandoned)) then return null; end if;
  insert into provider_operations (payment_id, card, gateway, provider_id)
  values (p_payment_id, p_card, p_gateway, p_provider_id)
  on conflict (payment_id, card) do nothing;
  select provider_id into v_stored from provider_operations where payment_id = p_payment_id and card = p_card;
  return v_stored;
end $$;

-- Gives up a card of a payment without an order: it can settle nothing from now on. Returns the payment's standing: `pending`,
-- or how it was decided before.
create or replace function payment_abandon(p_payment jsonb, p_card text) returns jsonb language plpgsql volatile as $$
begin
  perform payment_lock(p_payment->>'id');
  insert into payments (id, status, amount, currency, customer_id, customer_email, reference, abandoned, created_at, gateway)
  values (p_payment->>'id', 'pending', (p_payment->>'amount')::bigint, p_payment->>'currency', p_payment->>'customerId',
          p_payment->>'email', p_payment->>'reference', array[p_card],
          coalesce((p_payment->>'requestedAt')::timestamptz, clock_timestamp()),
          coalesce(p_payment->>'gateway', 'sandbox'))
  on conflict (id) do update set abandoned = array_append(payments.abandoned, p_card), updated_at = clock_timestamp()
    where payments.status = 'pending' and not (p_card = any (payments.abandoned));
  return payment_standing(p_payment->>'id');
end $$;
