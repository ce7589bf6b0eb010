-- stock_apply for operations that say `announceAbove`: the warehouse is told, in the same transaction, of each that was
-- done now and moved more units than that, its commands taken together. What was moved is read from the rows that were just
-- written: to read the results of a hundred operations apart took ten times as long as the operations themselves.
create or replace function stock_apply_announced(p_operations jsonb) returns json language plpgsql
set plan_cache_mode = force_generic_plan
as $$
declare
  v_newest bigint := (select last_value from stock_ledger_id_seq);
  v_results json := stock_apply(p_operations);
begin
  insert into outbox (topic, dedup_key, payload)
  select 'notice', 'large_movement/' || o.key, jsonb_build_object('template', 'large_movement', 'movements', g.movements)
    from (select operation_key, sum(greatest(abs(on_hand_delta), abs(reserved_delta))) as units,
                 jsonb_agg(jsonb_build_object('sku', sku, 'location', location, 'kind', kind,
                   'onHandDelta', on_hand_delta, 'reservedDelta', reserved_delta) order by id) as movements
            from stock_ledger where id >= v_newest group by operation_key) g
    join (select distinct op->>'key' as key, (op->>'announceAbove')::bigint as above
            from jsonb_array_elements(p_operations) op where op ? 'announceAbove') o on o.key = g.operation_key
   where g.units > o.above
      on conflict do nothing;
  if found then perform pg_notify('outbox', 'notice'); end if;
  return v_results;
end $$;
