-- A step of a transfer that is repeated by its key answers with the transfer as it stands now, as a step of an order does: a
-- run that resumes a lost one must not take an old state for the present one.

do $$
declare
  v_was constant text := $was$v_results[i] := v_known->(step->>'key');$was$;
  v_becomes constant text := $new$v_results[i] := v_known->(step->>'key');
      select * into t from transfers where id = step->>'transferId';
      if found and jsonb_typeof(v_results[i]->'state') = 'object' then
        v_results[i] := jsonb_set(v_results[i], '{state}', transfer_state(t));
      end if;$new$;
  v_definition text := pg_get_functiondef('transfer_apply(jsonb)'::regprocedure);
begin
  if position(v_was in v_definition) = 0 then
    raise exception 'transfer_apply does not read repeated steps as expected';
  end if;
  execute replace(v_definition, v_was, v_becomes);
end $$;
