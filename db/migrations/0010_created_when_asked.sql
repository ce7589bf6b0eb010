-- What a client asked for is created when it asked: the time that a 202 told stays, also where a worker comes to it later.
-- Told by a step's or a payment's `requestedAt`; absent on those of sagas that were started before. The functions are
-- changed where they insert, and stay otherwise as they are.

do $$
declare
  v_change record;
  v_definition text;
begin
  for v_change in select * from (values
    ('order_apply(jsonb)',
     array[$was$s->>'workflowId', clock_timestamp(), clock_timestamp()$was$],
     array[$new$s->>'workflowId', coalesce((s->>'requestedAt')::timestamptz, clock_timestamp()), clock_timestamp()$new$]),
    ('transfer_apply(jsonb)',
     array[$was$s->>'workflowId', clock_timestamp(), clock_timestamp()$was$],
     array[$new$s->>'workflowId', coalesce((s->>'requestedAt')::timestamptz, clock_timestamp()), clock_timestamp()$new$]),
    ('payment_write(jsonb)',
     array[$was$provider_reference, failure_code, failure_detail)$was$, $was$p->'failure'->>'code', p->'failure'->>'detail')$was$],
     array[$new$provider_reference, failure_code, failure_detail, created_at)$new$,
           $new$p->'failure'->>'code', p->'failure'->>'detail',
          coalesce((p->>'requestedAt')::timestamptz, clock_timestamp()))$new$]),
    ('payment_abandon(jsonb, text)',
     array[$was$customer_email, reference, abandoned)$was$, $was$p_payment->>'reference', array[p_card])$was$],
     array[$new$customer_email, reference, abandoned, created_at)$new$,
           $new$p_payment->>'reference', array[p_card],
          coalesce((p_payment->>'requestedAt')::timestamptz, clock_timestamp()))$new$])
  ) as changes(function, was, becomes)
  loop
    v_definition := pg_get_functiondef(v_change.function::regprocedure);
    for i in 1 .. cardinality(v_change.was) loop
      if position(v_change.was[i] in v_definition) = 0 then
        raise exception '% does not insert as expected', v_change.function;
      end if;
      v_definition := replace(v_definition, v_change.was[i], v_change.becomes[i]);
    end loop;
    execute v_definition;
  end loop;
end $$;
