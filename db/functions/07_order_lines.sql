-- The lines of an order: their prices, their shortages, and the operations that hold them.

-- The limits of domain/stock.ts and domain/money.ts; test/database/schema/functions.test.ts compares them.
create or replace function max_order_lines() returns int language sql immutable parallel safe return 100;
create or replace function max_order_total() returns bigint language sql immutable parallel safe return 99999999;

-- The sums of charges, a jsonb array of {kind, name, amount, tax} (domain/orders/money.ts).
create or replace function charge_sums(p_charges jsonb, out amount bigint, out tax bigint) language sql immutable as $$
  select coalesce(sum((c->>'amount')::bigint), 0)::bigint, coalesce(sum((c->>'tax')::bigint), 0)::bigint
    from jsonb_array_elements(p_charges) c
$$;

-- The sums of priced lines. `total` is what is paid for them.
create or replace function line_sums(p_priced jsonb, p_taxes_included boolean,
                                     out subtotal bigint, out discount bigint, out tax bigint, out total bigint)
language sql immutable as $$
  select s.subtotal, s.discount, s.tax, s.subtotal - s.discount + case when p_taxes_included then 0 else s.tax end
    from (select sum((l->>'quantity')::bigint * (l->>'amount')::bigint)::bigint as subtotal,
                 sum((l->>'discount')::bigint)::bigint as discount, sum((l->>'tax')::bigint)::bigint as tax
            from jsonb_array_elements(p_priced) l) s
$$;

-- The price of lines, or the first reason why they cannot be ordered. A line without a price of its own has the catalogue's.
create or replace function order_price(p_lines jsonb, p_taxes_included boolean, out refusal jsonb, out subtotal bigint,
                                       out total bigint, out currency text, out priced jsonb)
language plpgsql stable as $$
declare
  v_currencies text[];
  v_bad record;
  v_discount_line int;
  v_tax_line int;
begin
  select l.sku, l.location, p.sku is null as unknown_sku, loc.code is null as unknown_location,
         p.status as product_status
    into v_bad
    from rows from (jsonb_to_recordset(p_lines) as (sku text, quantity bigint, location text, "reservationId" text))
         with ordinality as l(sku, quantity, location, reservation_id, ord)
    left join products p on p.sku = l.sku
    left join locations loc on loc.code = l.location and not loc.virtual
   where p.sku is null or loc.code is null or p.status <> 'active'
   order by l.ord limit 1;
  if found then
    refusal := case
      when v_bad.unknown_sku then refuse('unknown_sku', jsonb_build_object('sku', v_bad.sku))
      when v_bad.unknown_location then refuse('unknown_location', jsonb_build_object('location', v_bad.location))
      else refuse('product_not_active', jsonb_build_object('sku', v_bad.sku, 'status', v_bad.product_status)) end;
    return;
  end if;
  with line as (
    select l.*, coalesce((l.unit_price->>'amount')::bigint, p.price_amount) as amount,
           coalesce(l.unit_price->>'currency', p.price_currency) as price_currency,
           coalesce(l.discount, 0) as line_discount, coalesce(l.tax, 0) as line_tax
      from rows from (jsonb_to_recordset(p_lines) as (sku text, quantity bigint, location text, "reservationId" text,
                                                      "unitPrice" jsonb, discount bigint, tax bigint, name text))
           with ordinality as l(sku, quantity, location, reservation_id, unit_price, discount, tax, name, ord)
      join products p on p.sku = l.sku
  )
  select array_agg(distinct price_currency), sum(quantity * amount),
         sum(quantity * amount - line_discount + case when p_taxes_included then 0 else line_tax end),
         jsonb_agg(jsonb_build_object('sku', sku, 'quantity', quantity, 'location', location,
                                      'reservationId', reservation_id, 'amount', amount, 'currency', price_currency,
                                      'discount', line_discount, 'tax', line_tax, 'name', name) order by ord),
         min(ord) filter (where line_discount > quantity * amount),
         min(ord) filter (where p_taxes_included and line_tax > quantity * amount - line_discount)
    into v_currencies, subtotal, total, priced, v_discount_line, v_tax_line
    from line;
  currency := v_currencies[1];
  if array_length(v_currencies, 1) > 1 then
    refusal := refuse('validation_failed', '{"rule": "one_currency"}');
  elsif v_discount_line is not null then
    refusal := refuse('validation_failed', jsonb_build_object('rule', 'discount_of_line', 'line', v_discount_line));
  elsif v_tax_line is not null then
    refusal := refuse('validation_failed', jsonb_build_object('rule', 'tax_of_line', 'line', v_tax_line));
  end if;
end $$;

-- Why an order's sums cannot stand; null where they can. Charges and taxes are never above the total. `p_expected`: the total
-- that the client expects, {amount, currency}.
create or replace function total_refusal(p_subtotal bigint, p_total bigint, p_currency text, p_expected jsonb) returns jsonb
language sql immutable
return case
  when greatest(p_subtotal, p_total) > max_order_total() then
    refuse('validation_failed', jsonb_build_object('rule', 'max_total', 'max', max_order_total()))
  when coalesce(p_expected, 'null') <> 'null' and (p_expected->>'amount', p_expected->>'currency')
         is distinct from (p_total::text, p_currency) then
    refuse('total_mismatch', jsonb_build_object('expected', p_expected,
      'computed', jsonb_build_object('amount', p_total, 'currency', p_currency))) end;

-- The shortages of an order's lines, each with the active supplier of its SKU, and the lines with the quantity that can be
-- held meanwhile: a partly available line gets a hold of its own for that part. Earlier lines take stock first. `shortages`
-- is null where a lacking SKU has no active supplier. Call it with the levels locked.
create or replace function order_shortages(p_priced jsonb, out shortages jsonb, out held jsonb) language plpgsql volatile as $$
declare
  v_orphans bigint;
begin
  with line as (
    select ord as line, l, l->>'sku' as sku, l->>'location' as location, (l->>'quantity')::bigint as quantity
      from jsonb_array_elements(p_priced) with ordinality as x(l, ord)
  ), filled as (
    select line.*, s.id as supplier_id, s.url,
           greatest(0, coalesce(v.on_hand - v.reserved, 0) - coalesce(sum(line.quantity) over earlier, 0))::bigint as available
      from line
      join products p on p.sku = line.sku
      left join suppliers s on s.id = p.supplier_id and s.active
      left join stock_levels v on v.sku = line.sku and v.location = line.location
    window earlier as (partition by line.sku, line.location order by line.line
                       rows between unbounded preceding and 1 preceding)
  )
  select count(*) filter (where available < quantity and supplier_id is null),
         jsonb_agg(jsonb_build_object('line', line, 'sku', sku, 'location', location, 'available', available,
                                      'requested', quantity, 'quantity', quantity - available, 'supplierId', supplier_id,
                                      'url', url, 'reservationId', l->>'reservationId') order by line)
           filter (where available < quantity),
         jsonb_agg(l || jsonb_build_object('held', least(available, quantity), 'reservationId', case
             when available >= quantity then l->>'reservationId'
             when available > 0 then l->>'reservationId' || 'p' end) order by line)
    into v_orphans, shortages, held
    from filled;
  if v_orphans > 0 then shortages := null; end if;
end $$;

-- Commands that reserve priced lines. `p_hold_seconds` null: without an expiry.
create or replace function reserve_commands(p_order_id text, p_priced jsonb, p_hold_seconds numeric) returns jsonb
language sql immutable as $$
  select jsonb_agg(jsonb_build_object('kind', 'reserve', 'reservationId', l->>'reservationId', 'sku', l->>'sku',
                                      'location', l->>'location', 'quantity', l->'quantity',
                                      'holdSeconds', p_hold_seconds, 'orderId', p_order_id) order by ord)
    from jsonb_array_elements(p_priced) with ordinality as x(l, ord)
$$;

-- One command of the given kind for each open hold of an order.
create or replace function hold_commands(p_order_id text, p_command jsonb) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(p_command || jsonb_build_object('reservationId', r.id) order by r.id), '[]')
    from order_lines l join reservations r on r.id = l.reservation_id
   where l.order_id = p_order_id and r.status = 'pending'
$$;

-- The operations that receive the goods that one line lacked and hold the whole line: a new hold replaces its partial one.
-- With the last such line all holds get their expiry, unless the order continues to its payment.
create or replace function restock_operations(step jsonb, o orders, p_last boolean) returns jsonb language plpgsql volatile as $$
declare
  v_line order_lines;
  v_hold_seconds jsonb := case when p_last and not (step->>'confirming')::boolean then step->'holdSeconds' else 'null' end;
  v_commands jsonb := '[]';
begin
  select * into v_line from order_lines where order_id = o.id and line = (step->>'line')::int;
  if v_line.reservation_id is not null then
    v_commands := jsonb_build_array(jsonb_build_object('kind', 'cancel', 'reservationId', v_line.reservation_id));
  end if;
  v_commands := v_commands || jsonb_build_object('kind', 'reserve', 'reservationId', step->'reservationId',
    'sku', v_line.sku, 'location', v_line.location, 'quantity', v_line.quantity, 'holdSeconds', v_hold_seconds, 'orderId', o.id);
  if v_hold_seconds <> 'null' then
    select v_commands || coalesce(jsonb_agg(jsonb_build_object('kind', 'hold', 'reservationId', r.id,
                                                               'holdSeconds', v_hold_seconds) order by r.id), '[]')
      into v_commands
      from order_lines l join reservations r on r.id = l.reservation_id
     where l.order_id = o.id and l.line <> v_line.line and r.status = 'pending';
  end if;
  return jsonb_build_array(
    jsonb_build_object('key', (step->>'key') || '/receive', 'actor', step->>'actor', 'reference', step->>'reference',
      'reason', 'restock of ' || o.id,
      'commands', jsonb_build_array(jsonb_build_object('kind', 'receive', 'sku', v_line.sku, 'location', v_line.location,
                                                       'quantity', step->'quantity'))),
    jsonb_build_object('key', (step->>'key') || '/hold', 'actor', step->>'actor', 'reference', o.id,
      'reason', 'restocked by ' || (step->>'reference'), 'commands', v_commands));
end $$;

-- The operation that holds the available part of an order's lines, without an expiry; none where nothing is available.
create or replace function short_operations(step jsonb, p_held jsonb) returns jsonb language sql immutable as $$
  select case when count(*) = 0 then '[]' else jsonb_build_array(jsonb_build_object(
           'key', (step->>'key') || '/open_short', 'actor', step->>'actor', 'reference', step->>'orderId',
           'reason', 'held until the rest is there',
           'commands', reserve_commands(step->>'orderId',
             jsonb_agg(l || jsonb_build_object('quantity', l->'held') order by ord), null))) end
    from jsonb_array_elements(p_held) with ordinality as x(l, ord)
   where (l->>'held')::bigint > 0
$$;

-- Adds priced lines to an order, with their holds. The caller adds their sums to the order's.
create or replace function order_write_lines(p_order_id text, p_priced jsonb, p_held boolean) returns void language sql as $$
  insert into order_lines (order_id, line, sku, quantity, unit_price_amount, unit_price_currency, name, discount, tax,
                           location, reservation_id)
  select p_order_id, coalesce((select max(line) from order_lines where order_id = p_order_id), 0) + ord,
         l->>'sku', (l->>'quantity')::bigint, (l->>'amount')::bigint, l->>'currency', l->>'name',
         (l->>'discount')::bigint, (l->>'tax')::bigint, l->>'location', case when p_held then l->>'reservationId' end
    from jsonb_array_elements(p_priced) with ordinality as x(l, ord)
$$;
