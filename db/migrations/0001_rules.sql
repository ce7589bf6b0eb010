-- What the tables hold from the start, and the rules that no constraint can say.

insert into locations (code, name, virtual, created_by) values
  ('main', 'Main', false, 'migration'),
  ('transit', 'In transit', true, 'migration');
--> statement-breakpoint
-- The table of domain/order-states.ts.
insert into order_transitions (from_status, to_status) values
  ('pending', 'draft'), ('pending', 'reserved'), ('pending', 'awaiting_restock'), ('pending', 'failed'),
  ('draft', 'reserved'), ('draft', 'cancelled'), ('draft', 'expired'),
  ('awaiting_restock', 'reserved'), ('awaiting_restock', 'cancelled'), ('awaiting_restock', 'failed'),
  ('reserved', 'confirming'), ('reserved', 'cancelled'), ('reserved', 'expired'), ('reserved', 'failed'),
  ('confirming', 'confirmed'), ('confirming', 'reserved'), ('confirming', 'cancelled'), ('confirming', 'expired'), ('confirming', 'failed'),
  ('confirmed', 'partially_refunded'), ('confirmed', 'refunded'),
  ('partially_refunded', 'refunded');
--> statement-breakpoint
create function refuse_unknown_transition() returns trigger language plpgsql as $$
begin
  if not exists (select from order_transitions where from_status = old.status and to_status = new.status) then
    raise exception 'order % cannot go from % to %', old.id, old.status, new.status using errcode = 'check_violation';
  end if;
  return new;
end $$;
--> statement-breakpoint
create trigger orders_transition before update of status on orders
  for each row when (old.status is distinct from new.status) execute function refuse_unknown_transition();
--> statement-breakpoint
-- The table of domain/payment-states.ts.
insert into payment_transitions (from_status, to_status) values
  ('pending', 'authorized'), ('pending', 'captured'), ('pending', 'declined'), ('pending', 'blocked'), ('pending', 'failed'), ('pending', 'voided'), ('pending', 'refunded'),
  ('authorized', 'captured'), ('authorized', 'declined'), ('authorized', 'failed'), ('authorized', 'voided'),
  ('captured', 'partially_refunded'), ('captured', 'refunded'),
  ('partially_refunded', 'refunded');
--> statement-breakpoint
create function refuse_unknown_payment_transition() returns trigger language plpgsql as $$
begin
  if not exists (select from payment_transitions where from_status = old.status and to_status = new.status) then
    raise exception 'payment % cannot go from % to %', old.id, old.status, new.status using errcode = 'check_violation';
  end if;
  return new;
end $$;
--> statement-breakpoint
create trigger payments_transition before update of status on payments
  for each row when (old.status is distinct from new.status) execute function refuse_unknown_payment_transition();
--> statement-breakpoint
-- The table of domain/transfer-states.ts.
insert into transfer_transitions (from_status, to_status) values
  ('pending', 'reserved'), ('pending', 'failed'),
  ('reserved', 'in_transit'), ('reserved', 'completed'), ('reserved', 'cancelled'), ('reserved', 'failed'), ('reserved', 'manual_review'),
  ('in_transit', 'completed'), ('in_transit', 'cancelled'), ('in_transit', 'manual_review'),
  ('manual_review', 'cancelled'), ('manual_review', 'failed');
--> statement-breakpoint
create function refuse_unknown_transfer_transition() returns trigger language plpgsql as $$
begin
  if not exists (select from transfer_transitions where from_status = old.status and to_status = new.status) then
    raise exception 'transfer % cannot go from % to %', old.id, old.status, new.status using errcode = 'check_violation';
  end if;
  return new;
end $$;
--> statement-breakpoint
create trigger transfers_transition before update of status on transfers
  for each row when (old.status is distinct from new.status) execute function refuse_unknown_transfer_transition();
--> statement-breakpoint
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only: % refused', tg_table_name, tg_op using errcode = 'restrict_violation';
end $$;
--> statement-breakpoint
create trigger stock_ledger_append_only before update or delete or truncate on stock_ledger
  for each statement execute function refuse_change();
--> statement-breakpoint
create function refuse_second_decision() returns trigger language plpgsql as $$
begin
  raise exception 'reservation % is % already', old.id, old.status using errcode = 'restrict_violation';
end $$;
--> statement-breakpoint
create trigger reservations_decided_once before update on reservations
  for each row when (old.status <> 'pending') execute function refuse_second_decision();
