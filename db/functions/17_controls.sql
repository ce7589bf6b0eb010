-- What guards payments: what follows from a decision, fraud rules, the limits of customers.

-- What follows from the decision of a payment, in its transaction: the outcome of each attempt, for the rules that count them;
-- the customer's limits, where no money was taken; the audit log. `p`: domain/orders/steps.ts, PaymentRecord. Every paid order
-- comes here, so a captured payment costs one statement.
create or replace function payment_decided(p jsonb) returns void language plpgsql volatile as $$
begin
  with given as (
    select x, place, x->>'card' as card
      from jsonb_array_elements(coalesce(p->'attempts', '[]')) with ordinality as e(x, place)
  ), counted as (
    update payment_attempts a set outcome = g.x->>'outcome' from given g
     where a.payment_id = p->>'id' and a.card = g.card returning a.card, a.score, a.rules
  ), happened as (
    select place, 'payment.attempt' as action, x->>'outcome' as outcome,
           jsonb_build_object('card', x->'card', 'code', x->'code', 'score', c.score,
                              'rules', coalesce(to_jsonb(c.rules), '[]')) as detail
      from given g left join counted c on c.card = g.card
    union all
    select 1000, 'payment.decided', p->>'status',
           jsonb_build_object('amount', p->'amount', 'currency', p->'currency', 'cardUsed', p->'cardUsed',
                              'score', p->'fraudScore', 'failure', p->'failure'->'code')
  )
  insert into audit_log (actor, action, subject, outcome, request_id, detail)
  select left(coalesce(p->'by'->>'actor', 'unknown'), 255), action, left('payment/' || (p->>'id'), 255), audit_text(outcome),
         audit_text(p->'by'->>'requestId'),
         audit_detail(jsonb_build_object('orderId', p->'orderId', 'gateway', coalesce(p->>'gateway', 'sandbox')) || detail)
    from happened order by place;
  if p->>'status' <> 'captured' then
    update customer_spend set released = true where payment_id = p->>'id';
  end if;
end $$;

-- The payment of an order's step, with who asked for the step.
create or replace function payment_of_step(step jsonb) returns jsonb language sql immutable
return step->'payment' || jsonb_build_object('by', jsonb_build_object('actor', step->'actor', 'requestId', step->'requestId'));

-- Reports a refund in the audit log. A refund of goods without money has no payment.
create or replace function refund_audit(r refunds, p_action text, step jsonb) returns void language sql as $$
  select audit(coalesce(step->>'actor', r.actor), p_action, 'refund/' || r.id, r.status, step->>'requestId',
               jsonb_build_object('orderId', r.order_id, 'paymentId', r.payment_id, 'amount', r.amount, 'currency', r.currency,
                                  'origin', r.origin, 'restocked', r.restocked, 'code', r.failure_code))
$$;

-- Reports each review that opens.
create or replace function review_audit() returns trigger language plpgsql as $$
begin
  perform audit(coalesce('workflow:' || new.workflow_id, 'holdfast'), 'review.opened', 'review/' || new.id, 'open', null,
                jsonb_build_object('kind', new.kind, 'about', new.subject));
  return null;
end $$;
create or replace trigger manual_reviews_audit after insert on manual_reviews for each row execute function review_audit();

-- A random secret of this installation, made once: the first value offered stays.
create or replace function secret_of(p_name text, p_offered text) returns text language sql volatile as $$
  insert into secrets (name, value) values (p_name, p_offered) on conflict (name) do nothing;
  select value from secrets where name = p_name
$$;

-- Replaces all fraud rules (domain/payments/fraud-rules.ts). Calls at the same time replace one another whole.
create or replace function fraud_rules_replace(p_rules jsonb, p_actor text, p_request_id text) returns void
language plpgsql volatile as $$
begin
  lock table fraud_rules in share row exclusive mode;
  delete from fraud_rules;
  insert into fraud_rules (name, position, kind, threshold, weight, enabled)
  select r->>'name', place, r->>'kind', (r->>'threshold')::double precision, (r->>'weight')::double precision,
         (r->>'enabled')::boolean
    from jsonb_array_elements(p_rules) with ordinality as e(r, place);
  perform audit(p_actor, 'fraud_rules.replaced', 'fraud_rules/all', 'done', p_request_id, jsonb_build_object('rules', p_rules));
end $$;

-- What each kind of rule compares with its threshold, for an attempt whose row is there already and counts. Null: it cannot be
-- told, so no rule of this kind fires. Attempts and declines of an hour and of a day; of a customer's payments the last 1,000.
create or replace function fraud_values(a payment_attempts) returns jsonb language sql stable as $$
  with of_card as (
    select count(*) filter (where x.at > a.at - interval '1 hour') as attempts,
           count(*) filter (where x.outcome = 'declined') as declines
      from payment_attempts x
     where a.card_hash is not null and x.card_hash = a.card_hash and x.at > a.at - interval '24 hours'
  ), of_customer as (
    select count(*) filter (where x.at > a.at - interval '1 hour') as attempts, count(distinct x.card_hash) as cards
      from payment_attempts x
     where a.customer_id is not null and x.customer_id = a.customer_id and x.at > a.at - interval '24 hours'
  ), paid as (
    select p.amount, p.currency from payments p
     where a.customer_id is not null and p.customer_id = a.customer_id and p.id <> a.payment_id
       and p.status in ('captured', 'partially_refunded', 'refunded')
     order by p.created_at desc, p.id desc limit 1000
  ), bought as (
    select count(*) as payments, count(*) filter (where currency = a.currency) as alike,
           percentile_cont(0.5) within group (order by amount) filter (where currency = a.currency) as median
      from paid
  )
  select jsonb_build_object(
    'amount_over', a.amount,
    'attempts_per_card', case when a.card_hash is not null then c.attempts end,
    'declines_per_card', case when a.card_hash is not null then c.declines end,
    'attempts_per_customer', case when a.customer_id is not null then u.attempts end,
    'cards_per_customer', case when a.customer_id is not null then u.cards end,
    'amount_over_usual', case when b.alike >= 3 and b.median > 0 then a.amount / b.median end,
    'new_customer_over', case when a.customer_id is not null and b.payments = 0 then a.amount end,
    -- Yes or no: above any threshold, or below each.
    'currency_mismatch', case when b.payments > 0 and b.alike = 0 then 1e15 end)
    from of_card c, of_customer u, bought b
$$;

-- Scores an attempt at a payment (activities/scoring.ts): inserts its row, counts, and returns `score` and the `rules` that
-- fired. A repeated attempt gets its first answer. Attempts on one card or of one customer are counted one after the other, so
-- each counts those before it. `outside`: the score of another scorer, of which the higher counts; null: none. `unscored`: that
-- scorer did not answer, and the payment may go on without it.
create or replace function fraud_attempt(p jsonb) returns jsonb language plpgsql volatile as $$
declare
  a payment_attempts;
  v_values jsonb;
  v_rest double precision := 1;
  v_rule record;
begin
  perform pg_advisory_xact_lock(hashtextextended(name, 0))
     from (select x.name from unnest(array['attempts/card/' || (p->>'cardHash'), 'attempts/customer/' || (p->>'customerId')]) as x(name)
            where x.name is not null order by 1) as named;
  insert into payment_attempts (payment_id, card, card_hash, customer_id, amount, currency)
  values (p->>'paymentId', p->>'card', p->>'cardHash', p->>'customerId', (p->>'amount')::bigint, p->>'currency')
  on conflict (payment_id, card) do nothing;
  select * into a from payment_attempts where payment_id = p->>'paymentId' and card = p->>'card' for update;
  if a.score is not null then return jsonb_build_object('score', a.score, 'rules', a.rules); end if;

  if (p->>'byRules')::boolean then
    v_values := fraud_values(a);
    for v_rule in select r.name, r.weight from fraud_rules r
                   where r.enabled and (v_values->>r.kind)::double precision > r.threshold order by r.position loop
      a.rules := array_append(a.rules, v_rule.name);
      v_rest := v_rest * (1 - v_rule.weight);
    end loop;
  end if;
  -- Six digits, so that 1 - 0.7 is 0.3.
  a.score := round(greatest(1 - v_rest, coalesce((p->>'outside')::double precision, 0))::numeric, 6);
  update payment_attempts set score = a.score, rules = a.rules where payment_id = a.payment_id and card = a.card;
  if (p->>'unscored')::boolean then
    perform audit('holdfast', 'payment.unscored', 'payment/' || a.payment_id, 'allowed', null,
                  jsonb_build_object('card', a.card, 'amount', a.amount, 'currency', a.currency));
  end if;
  return jsonb_build_object('score', a.score, 'rules', a.rules);
end $$;

-- Keeps other payments of these customers waiting, in one order. Callers that lock orders do so before, and levels after.
create or replace function customers_lock(p_customers text[]) returns void language sql volatile as $$
  select pg_advisory_xact_lock(hashtextextended('customer/' || id, 0))
    from (select distinct id from unnest(p_customers) as x(id) where id is not null order by id) as named
$$;

-- Counts a payment towards its customer's limits, unless one would be exceeded: then returns after how many seconds there may
-- be room. Null: it counts, or is not limited. `p`: domain/payments/limits.ts, LimitedPayment. A payment counts once. All that
-- were started count in the minute; in 24 hours, what is in flight or captured in the same currency.
create or replace function customer_limit_take(p jsonb) returns int language plpgsql volatile as $$
declare
  v_customer text := p->>'customerId';
  v_per_minute int := (p->'limits'->>'paymentsPerMinute')::int;
  v_room bigint := (p->'limits'->>'amountPerDay')::bigint - (p->>'amount')::bigint;
  v_now timestamptz;
  v_wait double precision;
begin
  if v_customer is null or (v_per_minute is null and v_room is null) then return null; end if;
  perform customers_lock(array[v_customer]);
  if exists (select from customer_spend where payment_id = p->>'paymentId') then return null; end if;
  v_now := clock_timestamp();
  select max(wait) into v_wait from (
    -- Room for one more comes when the last of the newest so many is a minute old.
    (select 60 - extract(epoch from v_now - at) as wait from customer_spend
      where v_per_minute is not null and customer_id = v_customer and at > v_now - interval '1 minute'
      order by at desc offset greatest(v_per_minute - 1, 0) limit 1)
    union all
    -- Room for the amount comes when so many of the oldest are a day old that the newer ones leave it.
    (select 86400 - extract(epoch from v_now - at)
       from (select at, sum(amount) over (order by at desc, payment_id) as newer from customer_spend
              where v_room >= 0 and customer_id = v_customer and currency = p->>'currency' and not released
                and at > v_now - interval '24 hours') as spent
      where newer > v_room order by at desc limit 1)
    union all
    select 86400 where v_room < 0) as waits;
  if v_wait is not null then return greatest(1, ceil(v_wait)); end if;
  insert into customer_spend (payment_id, customer_id, amount, currency, at)
  values (p->>'paymentId', v_customer, (p->>'amount')::bigint, p->>'currency', v_now);
  return null;
end $$;

-- The limits of the payment that an order's step starts, asked before the ledger is. Null: it may start. Else the seconds after
-- which there may be room. Called only where limits are set and the plan is not refused. `p_plan`, `p_priced`: of order_plan.
-- A back-order met the limits when it was placed. Once its goods have come its payment counts, and is never kept waiting.
create or replace function order_limit(step jsonb, o orders, p_plan text, p_priced jsonb) returns int language plpgsql volatile as $$
declare
  v_total bigint := o.total_amount;
  v_payment text := step->'payment'->>'paymentId';
begin
  if v_payment is null or p_plan not in ('open', 'restock_last', 'begin_confirm')
     or (p_plan <> 'begin_confirm' and not (step->>'confirming')::boolean) then
    return null;
  end if;
  if p_plan = 'open' then
    v_total := v_total + (select total from line_sums(p_priced, o.taxes_included));
  end if;
  if v_total = 0 then return null; end if;
  if p_plan = 'restock_last' then
    insert into customer_spend (payment_id, customer_id, amount, currency)
    select v_payment, o.customer_id, v_total, o.currency where o.customer_id is not null
    on conflict (payment_id) do nothing;
    return null;
  end if;
  return customer_limit_take(jsonb_build_object(
    'paymentId', v_payment, 'customerId', o.customer_id, 'amount', v_total,
    'currency', case when p_plan = 'open' then p_priced->0->>'currency' else o.currency end, 'limits', step->'limits'));
end $$;
