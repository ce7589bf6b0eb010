-- The audit log. Its rows name things by id. Card tokens, card numbers and mail addresses never belong there; where a client
-- has hidden one in an id of its own, it is masked.

-- What no row of the audit log may hold: card tokens, client secrets, mail addresses, and digits that may be a card number
-- and are no part of a UUID.
create or replace function audit_masked(p_text text) returns text language sql immutable as $$
  select left(regexp_replace(regexp_replace(regexp_replace(left(p_text, 1000),
           '(^|[^[:alnum:]])(tok|pm)_[^[:space:]"]*|_secret_[^[:space:]"]*', '\1\2_…', 'gi'),
           '[^[:space:]"@/:]+@[^[:space:]"@/:]+', '…@…', 'g'),
           '(^|[^[:alnum:]-])([0-9][ -]?){11,18}[0-9](?![[:alnum:]-])', '\1…', 'g'), 255)
$$;

-- The same for each text within a value.
create or replace function audit_clean(p_value jsonb) returns jsonb language sql immutable as $$
  select case jsonb_typeof(p_value)
    when 'string' then to_jsonb(audit_masked(p_value #>> '{}'))
    when 'array' then (select coalesce(jsonb_agg(audit_clean(x) order by place), '[]')
                         from jsonb_array_elements(p_value) with ordinality as e(x, place))
    when 'object' then (select coalesce(jsonb_object_agg(audit_masked(key), audit_clean(value)), '{}') from jsonb_each(p_value))
    else p_value end
$$;

-- Whether a text may hold what the audit log must not: most do not, and are kept as they are.
create or replace function audit_suspects(p_text text) returns boolean language sql immutable
return p_text ~* '(tok|pm)_|_secret_|@|([0-9][ -]?){12}';

-- A text and a detail as the audit log keeps them.
create or replace function audit_text(p_text text) returns text language sql immutable
return case when audit_suspects(p_text) then audit_masked(p_text) else left(p_text, 255) end;

create or replace function audit_detail(p_detail jsonb) returns jsonb language sql immutable
return case when audit_suspects(p_detail::text) then audit_clean(p_detail) else coalesce(p_detail, '{}') end;

-- Adds a row to the audit log, in the transaction of what it reports. `p_subject`: kind and id, `payment/pay_…`. `p_detail`:
-- codes, ids and figures only. The log takes the time itself.
create or replace function audit(p_actor text, p_action text, p_subject text, p_outcome text, p_request_id text, p_detail jsonb)
returns void language plpgsql volatile as $$
begin
  insert into audit_log (actor, action, subject, outcome, request_id, detail)
  values (left(coalesce(p_actor, 'unknown'), 255), p_action, left(p_subject, 255), audit_text(p_outcome),
          audit_text(p_request_id), audit_detail(p_detail));
end $$;
