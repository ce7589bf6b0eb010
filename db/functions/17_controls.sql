-- What guards payments: the audit log. Its rows name things by id. Card tokens, card numbers and mail addresses never belong
-- there; where a client has hidden one in an id of its own, it is masked.

-- What no row of the audit log may hold: card tokens, client secrets, mail addresses, and digits that may be a card number
-- and are no part of a UUID.
create or replace function audit_masked(p_text text) returns text language sql immutable as $$
  select left(regexp_replace(regexp_replace(regexp_replace(left(p_text, 1000),
           '(^|[^[:alnum:]])(tok|pm)_[^[:space:]"]*|_secret_[^[:space:]"]*', '\1\2_…', 'gi'),
           '[^[:space:]"@/:]+@[^[:space:]"@/:]+', '…@…', 'g'),
           '(^|[^[:alnum:]-])([0-9][ -]?){11,18}[0-9](?![[:alnum:]-])', '\1…', 'g'), 255)
$$;

-- The same for each text within a value.
create or replace function audit_clean(p_value jsonb) returns jsonb language sql immutable as $$
  select case jsonb_typeof(p_value)
    when 'string' then to_jsonb(audit_masked(p_value #>> '{}'))
    when 'array' then (select coalesce(jsonb_agg(audit_clean(x) order by place), '[]')
                         from jsonb_array_elements(p_value) with ordinality as e(x, place))
    when 'object' then (select coalesce(jsonb_object_agg(audit_masked(key), audit_clean(value)), '{}') from jsonb_each(p_value))
    else p_value end
$$;

-- Adds a row to the audit log, in the transaction of what it reports. `p_subject`: kind and id, `payment/pay_…`. `p_detail`:
-- codes, ids and figures only. The log takes the time itself.
create or replace function audit(p_actor text, p_action text, p_subject text, p_outcome text, p_request_id text, p_detail jsonb)
returns void language plpgsql volatile as $$
begin
  insert into audit_log (actor, action, subject, outcome, request_id, detail)
  values (left(coalesce(p_actor, 'unknown'), 255), p_action, left(p_subject, 255), audit_masked(p_outcome),
          audit_masked(p_request_id),
          case when p_detail::text ~* '(tok|pm)_|_secret_|@|([0-9][ -]?){12}' then audit_clean(p_detail)
               else coalesce(p_detail, '{}') end);
end $$;

-- What follows from the decision of a payment, in its transaction: the outcome of each attempt, for the rules that count them;
-- the customer's limits, where no money was taken; the audit log. `p`: domain/orders/steps.ts, PaymentRecord.
create or replace function payment_decided(p jsonb) returns void language plpgsql volatile as $$
declare
  v_subject text := 'payment/' || (p->>'id');
  v_facts jsonb := jsonb_build_object('orderId', p->'orderId', 'gateway', coalesce(p->>'gateway', 'sandbox'));
  x jsonb;
  a payment_attempts;
begin
  for x in select value from jsonb_array_elements(coalesce(p->'attempts', '[]')) loop
    update payment_attempts set outcome = x->>'outcome' where payment_id = p->>'id' and card = x->>'card' returning * into a;
    perform audit(p->'by'->>'actor', 'payment.attempt', v_subject, x->>'outcome', p->'by'->>'requestId',
                  v_facts || jsonb_build_object('card', x->'card', 'code', x->'code', 'score', a.score,
                                                'rules', coalesce(to_jsonb(a.rules), '[]')));
  end loop;
  update customer_spend set released = true where payment_id = p->>'id' and p->>'status' <> 'captured';
  perform audit(p->'by'->>'actor', 'payment.decided', v_subject, p->>'status', p->'by'->>'requestId',
                v_facts || jsonb_build_object('amount', p->'amount', 'currency', p->'currency', 'cardUsed', p->'cardUsed',
                                              'score', p->'fraudScore', 'failure', p->'failure'->'code'));
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
