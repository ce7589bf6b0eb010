/** Fills a database with 90 days of trade: by SQL, quickly, without triggers and foreign keys. */
import type { Sql } from '../db/postgres/client.js';

/** How many rows a database holds. */
export interface Scale {
  readonly orders: number;
  readonly products: number;
  /** For each product. */
  readonly ledgerRows: number;
  /** Open holds of `busySku`, the newest of all holds. */
  readonly openHolds: number;
}

/** The product with the open holds, and a customer with a hundredth of all orders. */
export const busySku = 'GROWTH-1';
export const busyCustomer = 'cus_0';

/** Writes all rows and updates the planner's statistics. Takes a few minutes for a million orders. */
export async function fill(sql: Sql, { orders, products, ledgerRows, openHolds }: Scale): Promise<void> {
  // No triggers, no foreign keys. A crash only costs the run.
  const quickly = (statement: string) =>
    sql.unsafe(`set session_replication_role = replica; set synchronous_commit = off; ${statement}`);
  /** The time at `share`, from 0 (90 days ago) to 1 (now). */
  const at = (share: string) => `now() - interval '90 d' * (1 - (${share})::float8)`;
  const orderAt = at(`n::float8 / ${orders}`);
  const sku = (number: string) => `'GROWTH-' || (1 + (${number}) % ${products})`;

  await quickly(`
    insert into suppliers (id, name, active, min_order_quantity, max_order_quantity, created_by)
    values ('growth', 'Growth', true, 1, 1000, 'bench');
    insert into products (sku, name, price_amount, price_currency, reorder_point, max_stock, supplier_id,
                          supplier_price_amount, supplier_price_currency, created_by, created_at)
    select 'GROWTH-' || n, 'Growth', 100, 'USD', 5, 100, 'growth', 50, 'USD', 'bench', ${at(`n::float8 / ${products}`)}
      from generate_series(1, ${products}) n;`);
  await quickly(`
    insert into orders (id, status, customer_id, subtotal_amount, total_amount, payment_id, workflow_id, created_at,
                        updated_at, expires_at)
    select 'ord_' || lpad(n::text, 32, '0'), case n % 20 when 0 then 'cancelled' when 1 then 'failed' else 'confirmed' end,
           'cus_' || n % 100, 200, 200, 'pay_' || lpad(n::text, 32, '0'), 'order/' || n, ${orderAt}, ${orderAt}, ${orderAt}
      from generate_series(1, ${orders}) n;
    insert into order_lines (order_id, line, sku, quantity, unit_price_amount, unit_price_currency, location)
    select 'ord_' || lpad(n::text, 32, '0'), 0, ${sku('n')}, 2, 100, 'USD', 'main' from generate_series(1, ${orders}) n;`);
  await quickly(`
    insert into order_events (order_id, from_status, to_status, actor, at)
    select 'ord_' || lpad(n::text, 32, '0'), null, status, 'bench', ${orderAt}
      from generate_series(1, ${orders}) n, unnest(array['reserved', 'confirmed']) status;
    insert into payments (id, status, amount, currency, order_id, customer_id, created_at)
    select 'pay_' || lpad(n::text, 32, '0'), 'captured', 200, 'USD', 'ord_' || lpad(n::text, 32, '0'), 'cus_' || n % 100, ${orderAt}
      from generate_series(1, ${orders}) n;`);
  await quickly(`
    insert into refunds (id, order_id, payment_id, gateway, amount, currency, status, origin, reason, actor, created_at)
    select 'rfd_' || n, 'ord_' || lpad(n::text, 32, '0'), 'pay_' || lpad(n::text, 32, '0'), 'sandbox', 100, 'USD',
           case when n % 97 = 1 then 'failed' else 'succeeded' end, 'holdfast', 'bench', 'bench', ${orderAt}
      from generate_series(1, ${orders}, 5) n;
    insert into disputes (id, payment_id, gateway, amount, currency, reason, status, refundable, opened_at, provider_reference)
    select 'dsp_' || n, 'pay_' || lpad(n::text, 32, '0'), 'sandbox', 100, 'USD', 'fraudulent',
           case when n % 3 = 0 then 'open' else 'won' end, true, ${orderAt}, 'dp_' || n
      from generate_series(1, ${orders}, 20) n;`);
  await quickly(`
    insert into idempotency_keys (api_key_id, key, request_hash, ids, status, created_at)
    select 'key', n::text, 'hash', '{}', 201, now() - interval '23 h' * (1 - n::float8 / ${orders})
      from generate_series(1, ${orders}) n;
    insert into outbox (topic, dedup_key, payload, delivered_at)
    select 'mail', n::text, '{}', now() from generate_series(1, ${orders}) n;
    insert into reservations (id, sku, location, quantity, status, order_id, created_at, decided_at)
    select 'rsv_' || n, ${sku('n')}, 'main', 2, 'confirmed', 'ord_' || n, ${orderAt}, ${orderAt}
      from generate_series(1, ${orders}) n;
    insert into reservations (id, sku, location, quantity, status, expires_at, created_at)
    select 'rsv_open_' || n, '${busySku}', 'main', 1, 'pending', now() + interval '1 d', now()
      from generate_series(1, ${openHolds}) n;`);
  // Each product gains 2 and loses 1 in turns; its first row also stocks it for the open holds.
  const stocked = openHolds + 100;
  await quickly(`
    insert into stock_ledger (sku, location, kind, on_hand_delta, reserved_delta, on_hand_after, reserved_after,
                              operation_key, actor, at)
    select 'GROWTH-' || p, 'main', case when k % 2 = 1 then 'received' else 'consumed' end,
           case when k = 1 then ${stocked} + 2 when k % 2 = 1 then 2 else -1 end, 0, ${stocked} + 2 * ((k + 1) / 2) - k / 2, 0,
           p || '/' || k, 'bench', ${at(`k::float8 / ${ledgerRows + 1}`)}
      from generate_series(1, ${ledgerRows}) k, generate_series(1, ${products}) p;
    insert into stock_levels (sku, location, on_hand, reserved, open_holds, changed_at)
    select sku, location, on_hand_after, case sku when '${busySku}' then ${openHolds} else 0 end,
           case sku when '${busySku}' then ${openHolds} else 0 end, at
      from (select distinct on (sku, location) * from stock_ledger order by sku, location, at desc) l;`);
  const supply = Math.ceil(orders / 10);
  await quickly(`
    insert into transfers (id, sku, quantity, from_location, to_location, mode, status, workflow_id, created_at, updated_at)
    select 'trf_' || n, ${sku('n')}, 1, 'main', 'west', 'immediate', 'completed', 'transfer/' || n, ${at(`n::float8 / ${supply}`)}, now()
      from generate_series(1, ${supply}) n;
    insert into replenishments (id, sku, location, status, quantity, supplier_id, unit_price_amount, unit_price_currency, created_at)
    select 'rpl_' || n, ${sku('n')}, 'main', 'completed', 1, 'growth', 50, 'USD', ${at(`n::float8 / ${supply}`)}
      from generate_series(1, ${supply}) n;
    insert into purchase_orders (id, supplier_id, supplier_order_id, status, sku, location, quantity, unit_price_amount,
                                 unit_price_currency, replenishment_id, created_at)
    select 'po_' || n, 'growth', n::text, 'delivered', ${sku('n')}, 'main', 1, 50, 'USD', 'rpl_' || n, ${at(`n::float8 / ${supply}`)}
      from generate_series(1, ${supply}) n;
    insert into manual_reviews (id, kind, subject, detail, status, attempts, created_at)
    select 'rev_' || n, 'step_failed', 'order/' || n, '{}', 'resolved', 1, ${at(`n::float8 / ${supply}`)}
      from generate_series(1, ${supply}) n;
    insert into audit_log (at, actor, action, subject, outcome)
    select ${orderAt}, 'key_' || n % 20, 'action.' || n % 100, 'payment/pay_' || n % 100, 'done'
      from generate_series(1, ${orders}) n;
    insert into api_keys (id, name, hash, scopes, created_at)
    select 'key_' || n, 'bench', n::text, '{}', ${at(`n::float8 / ${supply}`)} from generate_series(1, ${supply}) n;`);
  // The state that autovacuum leaves in a database that has run for a while.
  await sql.unsafe('vacuum analyze');
}
