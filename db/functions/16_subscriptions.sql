-- The store of subscriptions (db/subscriptions/store.ts). domain/subscriptions decides; this file writes each decision whole,
-- in one transaction: the subscription, its records, the payment, the mails, the audit and the step's result. A decision
-- names the version of the subscription that it was made from, and one from an older version changes nothing.

-- 01_states.sql has its function.
create or replace trigger subscriptions_transition before update of status on subscriptions
  for each row when (old.status is distinct from new.status)
  execute function refuse_unknown_subscription_transition();

-- Writes the row of a step over the one that it was decided from.
create or replace function subscription_write(step jsonb) returns void language sql as $$
  insert into subscriptions (id, status, customer_id, email, plan_amount, plan_currency, plan_interval, gateway, card,
                             backup_card, anchor, anchor_day, period_start, period_end, period_number, series,
                             cancel_at_period_end, credit_balance, test_clock, next_at, pending, version, failure_code,
                             failure_detail, created_at)
  select s->>'id', s->>'status', s->>'customerId', s->>'email', (s->'plan'->>'amount')::bigint, s->'plan'->>'currency',
         s->'plan'->>'interval', s->>'gateway', nullif(s->'card', 'null'), nullif(s->'backupCard', 'null'),
         (s->>'anchor')::timestamptz, (s->>'anchorDay')::smallint, (s->'period'->>'start')::timestamptz,
         (s->'period'->>'end')::timestamptz, (s->>'periodNumber')::int, (s->>'series')::smallint,
         (s->>'cancelAtPeriodEnd')::boolean, (s->>'creditBalance')::bigint, s->>'testClock', (s->>'nextAt')::timestamptz,
         nullif(s->'pending', 'null'), (s->>'version')::int, s->'failure'->>'code', s->'failure'->>'detail',
         (s->>'createdAt')::timestamptz
    from (select step->'subscription') as x(s)
  on conflict (id) do update
    set status = excluded.status, plan_amount = excluded.plan_amount, plan_currency = excluded.plan_currency,
        plan_interval = excluded.plan_interval, card = excluded.card, backup_card = excluded.backup_card,
        anchor = excluded.anchor, anchor_day = excluded.anchor_day, period_start = excluded.period_start,
        period_end = excluded.period_end, period_number = excluded.period_number, series = excluded.series,
        cancel_at_period_end = excluded.cancel_at_period_end, credit_balance = excluded.credit_balance,
        next_at = excluded.next_at, pending = excluded.pending, version = excluded.version,
        failure_code = excluded.failure_code, failure_detail = excluded.failure_detail, updated_at = clock_timestamp()
$$;

-- Adds the records of a step, and settles those that exist. Each is later than the one before, so that they keep their order.
create or replace function billing_write(p_id text, p_records jsonb) returns void language plpgsql as $$
declare
  r jsonb;
begin
  -- Those that become void first: their place may be taken by a new one.
  for r in select value from jsonb_array_elements(p_records) order by value->>'status' <> 'void', value->>'id' loop
    insert into billing_records (id, subscription_id, kind, series, period_start, period_end, amount, credit, charged,
                                 payment_id, status, attempts, lines, created_at)
    values (r->>'id', p_id, r->>'kind', (r->>'series')::smallint, (r->'period'->>'start')::timestamptz,
            (r->'period'->>'end')::timestamptz, (r->>'amount')::bigint, (r->>'credit')::bigint, (r->>'charged')::bigint,
            r->>'paymentId', r->>'status', (r->>'attempts')::smallint, r->'lines',
            greatest((r->>'createdAt')::timestamptz,
                     (select max(created_at) + interval '1 microsecond' from billing_records where subscription_id = p_id)))
    on conflict (id) do update
      set payment_id = excluded.payment_id, status = excluded.status, attempts = excluded.attempts;
  end loop;
end $$;

-- Applies one decision. `stale`: the subscription has changed since. `limited`: `limits` leave no room for the payment that it
-- begins, and nothing is written. `standing`: the payment was decided before, or its card
-- was given up, so that nothing is written.
create or replace function subscription_step(step jsonb) returns jsonb language plpgsql volatile as $$
declare
  v_id text := step->'subscription'->>'id';
  v_version int;
  v_payment jsonb := nullif(step->'payment', 'null');
  v_standing jsonb;
  v_wait int;
begin
  select version into v_version from subscriptions where id = v_id;
  if v_version is distinct from (step->>'from')::int then return '{"outcome": "stale"}'; end if;
  if coalesce(step->'limits', 'null') <> 'null' and coalesce(step->'begins', 'null') <> 'null' then
    v_wait := customer_limit_take(jsonb_build_object(
      'paymentId', step->'begins'->'id', 'customerId', step->'begins'->'customerId', 'amount', step->'begins'->'amount',
      'currency', step->'begins'->'currency', 'limits', step->'limits'));
    if v_wait is not null then
      perform audit(step->>'actor', 'payment.limited', 'subscription/' || v_id, 'refused', step->>'requestId',
                    jsonb_build_object('retryAfterSeconds', v_wait));
      return jsonb_build_object('outcome', 'limited', 'retryAfterSeconds', v_wait);
    end if;
  end if;
  if v_payment is not null then
    perform payment_write(payment_of_step(step));
    v_standing := payment_standing(v_payment->>'id');
    if v_standing->>'status' <> v_payment->>'status' then
      return jsonb_build_object('outcome', 'standing', 'standing', v_standing);
    end if;
  end if;
  perform subscription_write(step);
  perform billing_write(v_id, step->'records');
  insert into payments (id, status, amount, currency, customer_id, customer_email, reference, subscription_id, gateway)
  select b->>'id', 'pending', (b->>'amount')::bigint, b->>'currency', b->>'customerId', b->>'email', v_id, v_id,
         b->>'gateway'
    from (select step->'begins') as x(b) where b <> 'null'
  on conflict (id) do nothing;
  perform outbox_mails(step->'mails');
  perform audit(step->>'actor', a->>'action', 'subscription/' || v_id, a->>'outcome', step->>'requestId', a->'detail')
    from jsonb_array_elements(step->'audit') a;
  insert into subscription_steps (key, subscription_id, result)
  select step->>'key', v_id, step->'result' where step->>'key' is not null;
  return '{"outcome": "done"}';
end $$;

create or replace function subscription_apply(p_steps jsonb) returns jsonb language plpgsql volatile
-- As for order_apply.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  v_results jsonb := '[]';
  step jsonb;
begin
  -- Of two that open the same subscription, the second waits here and then finds it.
  perform pg_advisory_xact_lock(hashtextextended('subscription/' || id, 0))
    from (select distinct s->'subscription'->>'id' as id from jsonb_array_elements(p_steps) s order by 1) as x;
  perform customers_lock(array(select s->'begins'->>'customerId' from jsonb_array_elements(p_steps) s
                                where s->'limits' <> 'null'));
  for step in select value from jsonb_array_elements(p_steps) loop
    v_results := v_results || jsonb_build_array(subscription_step(step));
  end loop;
  return v_results;
end $$;
