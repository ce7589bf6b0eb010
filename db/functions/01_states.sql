-- Trigger functions: rules that no constraint can express. db/migrations/0001_rules.sql creates the triggers, and
-- 16_subscriptions.sql that of subscriptions.

-- order_transitions is the table of domain/orders/states.ts.
create or replace function refuse_unknown_transition() returns trigger language plpgsql as $$
begin
  if not exists (select from order_transitions where from_status = old.status and to_status = new.status) then
    raise exception 'order % cannot go from % to %', old.id, old.status, new.status using errcode = 'check_violation';
  end if;
  return new;
end $$;

-- payment_transitions is the table of domain/payments/states.ts.
create or replace function refuse_unknown_payment_transition() returns trigger language plpgsql as $$
begin
  if not exists (select from payment_transitions where from_status = old.status and to_status = new.status) then
    raise exception 'payment % cannot go from % to %', old.id, old.status, new.status using errcode = 'check_violation';
  end if;
  return new;
end $$;

-- transfer_transitions is the table of domain/transfers/states.ts.
create or replace function refuse_unknown_transfer_transition() returns trigger language plpgsql as $$
begin
  if not exists (select from transfer_transitions where from_status = old.status and to_status = new.status) then
    raise exception 'transfer % cannot go from % to %', old.id, old.status, new.status using errcode = 'check_violation';
  end if;
  return new;
end $$;

-- subscription_transitions is the table of domain/subscriptions/states.ts.
create or replace function refuse_unknown_subscription_transition() returns trigger language plpgsql as $$
begin
  if not exists (select from subscription_transitions where from_status = old.status and to_status = new.status) then
    raise exception 'subscription % cannot go from % to %', old.id, old.status, new.status using errcode = 'check_violation';
  end if;
  return new;
end $$;

-- Protects the stock ledger, which is append-only.
create or replace function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only: % refused', tg_table_name, tg_op using errcode = 'restrict_violation';
end $$;

-- Protects decided reservations: each is decided once.
create or replace function refuse_second_decision() returns trigger language plpgsql as $$
begin
  raise exception 'reservation % is already %', old.id, old.status using errcode = 'restrict_violation';
end $$;
