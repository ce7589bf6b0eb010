-- What is only needed for a time. Limits count a day of payments; rules count a day of attempts, and payments show the rules
-- that fired; a repeated step of a subscription finds its first answer. A payment that has no row yet is in flight: 90 days
-- outlast every one of them.

-- Deletes up to `p_limit` old rows of each table, and returns of how many tables there may be more.
create or replace function old_records_delete(p_limit int) returns int language plpgsql volatile as $$
declare
  v_before timestamptz := clock_timestamp() - interval '90 days';
  v_count int;
  v_more int := 0;
begin
  -- Arrays rather than joins: Postgres then fetches the rows by ctid, whatever the planner estimates.
  delete from customer_spend where ctid = any (array(
    select s.ctid from customer_spend s
     where s.at < v_before
       and not exists (select from payments p where p.id = s.payment_id and p.status = 'pending')
     order by s.at limit p_limit for update skip locked));
  get diagnostics v_count = row_count;
  v_more := v_more + (v_count >= p_limit)::int;
  delete from payment_attempts where ctid = any (array(
    select a.ctid from payment_attempts a
     where a.at < v_before
       and not exists (select from payments p where p.id = a.payment_id and p.status = 'pending')
     order by a.at limit p_limit for update skip locked));
  get diagnostics v_count = row_count;
  v_more := v_more + (v_count >= p_limit)::int;
  delete from subscription_steps where ctid = any (array(
    select x.ctid from subscription_steps x where x.at < v_before order by x.at limit p_limit for update skip locked));
  get diagnostics v_count = row_count;
  return v_more + (v_count >= p_limit)::int;
end $$;
