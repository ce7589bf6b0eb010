-- Outbox rows for a change of stock, written in the transaction of the change.

-- Whether stock is at or below the reorder point and a supplier can refill it.
create or replace function is_low(p products, p_on_hand bigint) returns boolean language sql immutable parallel safe
return p_on_hand <= p.reorder_point and p.supplier_id is not null and p.status = 'active';

-- Marks every level of these products that their supplier could refill, for the sweep. Levels that are not low are marked
-- too, since a concurrent sale may lower them. Levels that only a refused operation made do not count. A product that never had stock counts as a level of 0 at `main` if its
-- reorder point was changed after the product was created: an import alone orders nothing. Marking an existing row renews
-- its time, so that a concurrent sweep does not remove it.
create or replace function mark_levels(p_skus text[]) returns void language sql as $$
  insert into low_levels (sku, location, marked_at)
  select s.sku, s.location, clock_timestamp()
    from products p
    join lateral (
      select l.sku, l.location from stock_levels l join locations w on w.code = l.location and not w.virtual
       where l.sku = p.sku and l.changed_at > '-infinity'
      union all
      select p.sku, 'main'
       where p.reorder_point_set_at is not null and not exists (select from stock_levels l where l.sku = p.sku and l.changed_at > '-infinity')) s on true
   where p.sku = any (p_skus) and p.reorder_point is not null and p.supplier_id is not null and p.status = 'active'
   order by s.sku, s.location
      on conflict (sku, location) do update set marked_at = excluded.marked_at;
$$;

-- Trigger on stock_ledger, so that no writer of the ledger bypasses it. It compares each level before all rows of the
-- statement with the level after them. Outbox rows are written by (sku, location), the order in which levels are locked, so
-- that two writers never deadlock.
create or replace function stock_follows() returns trigger language plpgsql
-- As for stock_apply: a session plans once.
set plan_cache_mode = force_generic_plan
as $$
begin
  -- Most changes leave enough on hand and cost no more than this check.
  if not exists (select from (select sku, min(on_hand_after) as least from added where on_hand_delta <> 0 group by sku) a
                   join products p on p.sku = a.sku and a.least <= p.reorder_point) then return null; end if;

  insert into low_levels (sku, location, marked_at)
  select l.sku, l.location, clock_timestamp()
    from (select distinct on (sku, location) * from added where on_hand_delta <> 0 order by sku, location, at desc) l
    join products p on p.sku = l.sku and is_low(p, l.on_hand_after)
    join locations w on w.code = l.location and not w.virtual
   order by l.sku, l.location
      on conflict (sku, location) do update set marked_at = excluded.marked_at;

  insert into outbox (topic, sku, dedup_key, payload)
  select 'replenish', l.sku, l.sku || '/' || l.location || '/' || l.id, jsonb_build_object('sku', l.sku, 'location', l.location)
    from (select distinct on (sku, location) * from added where on_hand_delta <> 0 order by sku, location, at desc) l
    join products p on p.sku = l.sku and is_low(p, l.on_hand_after)
    join locations w on w.code = l.location and not w.virtual
   order by l.sku, l.location
      on conflict do nothing;
  if found then perform pg_notify('outbox', 'replenish'); end if;

  insert into outbox (topic, dedup_key, payload)
  select 'notice', 'low_stock/' || l.id, jsonb_build_object('template', 'low_stock', 'sku', l.sku, 'location', l.location,
         'onHand', l.on_hand_after, 'reorderPoint', p.reorder_point)
    from (select distinct on (sku, location) *, sum(on_hand_delta) over (partition by sku, location) as delta
            from added order by sku, location, at desc) l
    join products p on p.sku = l.sku and l.on_hand_after <= p.reorder_point and l.on_hand_after - l.delta > p.reorder_point
    join locations w on w.code = l.location and not w.virtual
      on conflict do nothing;
  if found then perform pg_notify('outbox', 'notice'); end if;
  return null;
end $$;

-- Trigger on products: records that the reorder point was set on purpose, which counts even for a product without stock.
create or replace function product_reorder_point_set() returns trigger language plpgsql as $$
begin
  new.reorder_point_set_at := clock_timestamp();
  return new;
end $$;

create or replace trigger products_reorder_point_set before update of reorder_point on products
  for each row when (old.reorder_point is distinct from new.reorder_point) execute function product_reorder_point_set();

-- Trigger on products: a product whose replenishment settings change may already be low.
create or replace function product_follows() returns trigger language plpgsql as $$
begin
  perform mark_levels(array[new.sku]);
  insert into outbox (topic, sku, dedup_key, payload)
  select 'replenish', s.sku, s.sku || '/' || s.location || '/' || gen_random_uuid(),
         jsonb_build_object('sku', s.sku, 'location', s.location)
    from stock_levels s
    join locations w on w.code = s.location and not w.virtual
   where s.sku = new.sku and is_low(new, s.on_hand)
   order by s.sku, s.location
      on conflict do nothing;
  if found then perform pg_notify('outbox', 'replenish'); end if;
  return null;
end $$;

-- Trigger on suppliers: a reactivated supplier can refill levels that became low meanwhile.
create or replace function supplier_follows() returns trigger language plpgsql as $$
begin
  perform mark_levels(array(select sku from products where supplier_id = new.id and reorder_point is not null));
  return null;
end $$;

create or replace trigger suppliers_follows after update of active on suppliers
  for each row when (new.active and not old.active) execute function supplier_follows();

-- stock_apply for operations with `announceAbove`: notifies the warehouse, in the same transaction, of each operation whose
-- commands together moved more units than that. The units are read from the ledger rows just written: parsing the results
-- of a hundred operations took ten times as long as the operations themselves.
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
