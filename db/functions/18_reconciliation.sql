-- Reconciliations: comparisons of our payments with a processor's books (activities/reconciliation.ts).

-- Begins a reconciliation, or claims one to resume: from now on only this runner may record progress. Null if it has ended.
create or replace function reconciliation_begin(p_run jsonb) returns jsonb language plpgsql volatile as $$
declare
  v_state jsonb;
begin
  insert into reconciliations (id, status, from_at, to_at, actor, created_at)
  values (p_run->>'id', 'running', (p_run->>'from')::timestamptz, (p_run->>'to')::timestamptz, p_run->>'actor',
          (p_run->>'createdAt')::timestamptz)
  on conflict do nothing;
  if found then
    perform audit(p_run->>'actor', 'reconciliation.started', 'reconciliation/' || (p_run->>'id'), 'started',
                  p_run->>'requestId',
                  jsonb_build_object('from', p_run->>'from', 'to', p_run->>'to'));
  end if;
  update reconciliations set runner = p_run->>'runner' where id = p_run->>'id' and status = 'running'
  returning jsonb_build_object('progress', reconciliations.progress) into v_state;
  return v_state;
end $$;
