-- Receives the delivery of a purchase order: stock, purchase order and replenishment in one transaction. A repetition
-- changes nothing. Locks: the purchase order, the level (in stock_apply), the replenishment.
create or replace function purchase_order_deliver(p_id text, p_actor text) returns json language plpgsql as $$
declare
  v_order purchase_orders;
  v_result json;
begin
  select * into v_order from purchase_orders where id = p_id for update;
  if v_order.id is null then raise exception 'there is no purchase order %', p_id using errcode = 'no_data_found'; end if;
  if v_order.status = 'delivered' then return json_build_object('outcome', 'received', 'delaySeconds', null); end if;
  if v_order.status not in ('ordered', 'shipped') then
    return json_build_object('outcome', 'closed', 'status', v_order.status);
  end if;

  v_result := stock_apply(jsonb_build_array(jsonb_build_object(
    'key', 'purchase-order/' || p_id || '/receive', 'actor', p_actor, 'reference', p_id, 'reason', 'delivered by the supplier',
    'commands', jsonb_build_array(jsonb_build_object('kind', 'receive', 'sku', v_order.sku, 'location', v_order.location,
                                                     'quantity', v_order.quantity)))))->0;
  if v_result->>'outcome' <> 'done' then
    raise exception 'the delivery of % cannot be received: %', p_id, v_result->'refusal';
  end if;
  update purchase_orders set status = 'delivered', received_at = (v_result->'movements'->0->>'at')::timestamptz,
                             updated_at = clock_timestamp()
   where id = p_id;
  update replenishments set status = 'completed', updated_at = clock_timestamp()
   where id = v_order.replenishment_id and status = 'running';
  return json_build_object('outcome', 'received',
                           'delaySeconds', extract(epoch from clock_timestamp() - v_order.created_at)::float8);
end $$;
