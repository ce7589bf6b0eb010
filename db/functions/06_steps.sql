-- Functions that the stores of orders and transfers share. A store is a function `<saga>_apply(steps)`: it locks the rows of
-- its steps by id, looks their keys up, plans each step, passes all their operations to the ledger in one call, finishes each
-- step with the ledger's result, and stores the results by key. Each store repeats this frame for its own tables, since a
-- statement with a variable table name would be planned at every call. Only functions without a table are here. The shapes
-- are those of domain/orders/steps.ts and domain/transfers/steps.ts.

-- When each step of a call is done: `known` if its key has a result, `again` if an earlier step of the call has the same id
-- (the caller retries it), else `now`.
create or replace function step_turns(p_keys text[], p_ids text[], p_known jsonb) returns text[] language plpgsql immutable
as $$
declare
  v_turns text[] := '{}';
  v_seen text[] := '{}';
begin
  for i in 1 .. cardinality(p_keys) loop
    if p_known ? p_keys[i] then
      v_turns[i] := 'known';
    elsif p_ids[i] = any (v_seen) then
      v_turns[i] := 'again';
    else
      v_turns[i] := 'now';
      v_seen := array_append(v_seen, p_ids[i]);
    end if;
  end loop;
  return v_turns;
end $$;

-- A refusal: its code, and facts that domain/refusals.ts words. `detail` and `extensions` serve processes of 0.1.0, which
-- word nothing: remove them in the release after next.
create or replace function refuse(p_code text, p_facts jsonb) returns jsonb language sql immutable
return jsonb_build_object('code', p_code, 'facts', p_facts, 'detail', p_code, 'extensions', p_facts);

-- The refusal of a step whose operation the ledger refused.
create or replace function ledger_refusal(p_stock jsonb) returns jsonb language sql immutable
return case p_stock->'refusal'->>'code'
  when 'insufficient_stock' then refuse('insufficient_stock', (p_stock->'refusal') - 'code' - 'command')
  else refuse('invalid_state', jsonb_build_object('ledger', p_stock->'refusal')) end;

-- The result of a step that found no row, or left none.
create or replace function step_without_row(p_refusal jsonb) returns jsonb language sql immutable
return jsonb_build_object('outcome', 'refused', 'state', null, 'transitions', '[]'::jsonb, 'refusal', p_refusal);

-- The result of a step. `p_refusal` null: it was done.
create or replace function step_result(p_refusal jsonb, p_state jsonb, p_moves jsonb) returns jsonb language sql immutable
return case when p_refusal is null then jsonb_build_object('outcome', 'done', 'state', p_state, 'transitions', p_moves)
  else jsonb_build_object('outcome', 'refused', 'state', p_state, 'transitions', p_moves, 'refusal', p_refusal) end;

-- A step's operation for the ledger.
create or replace function step_operation(step jsonb, p_key text, p_reference text, p_commands jsonb) returns jsonb
language sql immutable
return jsonb_build_object('key', p_key, 'commands', p_commands, 'actor', step->>'actor', 'reference', p_reference,
                          'reason', step->>'reason');
