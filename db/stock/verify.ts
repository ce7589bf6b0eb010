/** Whether the books agree: the whole ledger against the levels, and both against the open holds. */
import type { Sql } from '../postgres/client.js';

/** `expected` is what the ledger says, `found` what stands elsewhere. */
export interface Difference {
  readonly sku: string;
  readonly location: string;
  /**
   * - `onHandAfter mov_…`, `reservedAfter mov_…`: a row that does not follow from the one before it
   * - `onHand`, `reserved`: a level that is not the sum of its rows
   * - `changedAt`: a level that does not know its last row; in microseconds since 1970
   * - `openReservations`: open holds that do not add up to what is reserved
   * - `hold rsv_…`: a hold of which the ledger says that another quantity is held
   */
  readonly what: string;
  readonly expected: number;
  readonly found: number;
}

export interface Verification {
  readonly clean: boolean;
  readonly differences: readonly Difference[];
}

/** Reads every row of the ledger, in one statement and so in one snapshot. Writers are not held up. */
export async function verify(sql: Sql): Promise<Verification> {
  const [row] = await sql<{ differences: Difference[] }[]>`
    with chain as (
      select sku, location, id, at, on_hand_after, reserved_after, on_hand_delta, reserved_delta,
             on_hand_delta + coalesce(lag(on_hand_after) over history, 0) as on_hand_due,
             reserved_delta + coalesce(lag(reserved_after) over history, 0) as reserved_due
        from stock_ledger window history as (partition by sku, location order by at)),
    folded as (
      select sku, location, sum(on_hand_delta) as on_hand, sum(reserved_delta) as reserved, max(at) as changed_at
        from stock_ledger group by sku, location),
    held as (
      select sku, location, sum(quantity) as quantity from reservations where status = 'pending' group by sku, location),
    hold_rows as (
      select sku, location, reservation_id as id, sum(reserved_delta) as quantity
        from stock_ledger where reservation_id is not null group by sku, location, reservation_id),
    open_holds as (
      select sku, location, id, case status when 'pending' then quantity else 0 end as quantity from reservations),
    differences(sku, location, what, expected, found) as (
      select sku, location, 'onHandAfter mov_' || id, on_hand_due, on_hand_after from chain where on_hand_after <> on_hand_due
      union all
      select sku, location, 'reservedAfter mov_' || id, reserved_due, reserved_after
        from chain where reserved_after <> reserved_due
      union all
      select sku, location, 'onHand', coalesce(f.on_hand, 0), coalesce(l.on_hand, 0)
        from folded f full join stock_levels l using (sku, location)
       where coalesce(f.on_hand, 0) <> coalesce(l.on_hand, 0)
      union all
      select sku, location, 'reserved', coalesce(f.reserved, 0), coalesce(l.reserved, 0)
        from folded f full join stock_levels l using (sku, location)
       where coalesce(f.reserved, 0) <> coalesce(l.reserved, 0)
      union all
      select sku, location, 'changedAt', extract(epoch from f.changed_at) * 1e6, extract(epoch from l.changed_at) * 1e6
        from folded f join stock_levels l using (sku, location) where f.changed_at <> l.changed_at
      union all
      select sku, location, 'openReservations', coalesce(f.reserved, 0), coalesce(h.quantity, 0)
        from folded f full join held h using (sku, location) where coalesce(f.reserved, 0) <> coalesce(h.quantity, 0)
      union all
      select sku, location, 'hold ' || id, coalesce(r.quantity, 0), coalesce(o.quantity, 0)
        from hold_rows r full join open_holds o using (sku, location, id)
       where coalesce(r.quantity, 0) <> coalesce(o.quantity, 0))
    select coalesce(jsonb_agg(to_jsonb(differences) order by sku, location, what), '[]') as differences from differences`;
  const differences = row?.differences ?? [];
  return { clean: differences.length === 0, differences };
}
