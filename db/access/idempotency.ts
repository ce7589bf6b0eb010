/**
 * What was asked under which Idempotency-Key, and what was answered. A key's row is written before anything else happens:
 * it fixes the ids that the call creates and says which API process is at work on it. A call that finds that process dead
 * takes the row over and does the same call again with the same ids.
 */
import type { Sql } from '../postgres/client.js';

/** The ids of one call: of the resource that it creates, and of the update or operation that it asks for. */
export interface CallIds {
  readonly resource: string;
  readonly update: string;
}

export interface StoredAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** As it was sent, to the letter. */
  readonly body: string;
}

export interface Claim {
  readonly apiKeyId: string;
  readonly key: string;
  /** SHA-256 over method, path and body. */
  readonly requestHash: string;
  /** Used where the key is new. */
  readonly freshIds: CallIds;
  /** The API process that asks. */
  readonly processId: string;
}

/**
 * - `claimed`: go on, with these ids. `resumed` tells that an earlier try may have acted already.
 * - `answered`: this was the answer.
 * - `reused`: the key belongs to another request.
 * - `in_progress`: a living process is at work on it.
 */
export type ClaimResult =
  | { readonly kind: 'claimed'; readonly ids: CallIds; readonly resumed: boolean }
  | { readonly kind: 'answered'; readonly answer: StoredAnswer }
  | { readonly kind: 'reused' }
  | { readonly kind: 'in_progress' };

interface KeyRow {
  readonly requestHash: string;
  readonly ids: CallIds;
  readonly heldBy: string | null;
  readonly holderAlive: boolean;
  readonly status: number | null;
  readonly response: { headers: Record<string, string>; body: string } | null;
}

/** A row may vanish or change hands between two statements; it settles within a few rounds. */
const maxRounds = 10;

/** Whether the key was sent before: its call may have acted, and may be answered or resumed. */
export async function isKnownKey(sql: Sql, apiKeyId: string, key: string): Promise<boolean> {
  const rows = await sql`select from idempotency_keys where api_key_id = ${apiKeyId} and key = ${key}`;
  return rows.length > 0;
}

/** Takes the key, or tells who has it. */
export async function claim(sql: Sql, wanted: Claim): Promise<ClaimResult> {
  for (let round = 0; round < maxRounds; round++) {
    const inserted = await sql`
      insert into idempotency_keys (api_key_id, key, request_hash, ids, held_by)
      values (${wanted.apiKeyId}, ${wanted.key}, ${wanted.requestHash},
              ${JSON.stringify(wanted.freshIds)}::text::jsonb, ${wanted.processId})
      on conflict do nothing returning key`;
    if (inserted.length > 0) return { kind: 'claimed', ids: wanted.freshIds, resumed: false };

    const [row] = await sql<KeyRow[]>`
      select k.request_hash as "requestHash", k.ids, k.held_by as "heldBy", k.status, k.response,
             coalesce(p.alive_until > now(), false) as "holderAlive"
        from idempotency_keys k left join api_processes p on p.id = k.held_by
       where k.api_key_id = ${wanted.apiKeyId} and k.key = ${wanted.key}`;
    if (!row) continue;
    if (row.requestHash !== wanted.requestHash) return { kind: 'reused' };
    if (row.status !== null && row.response !== null)
      return { kind: 'answered', answer: { status: row.status, ...row.response } };
    if (row.heldBy !== null && row.holderAlive) return { kind: 'in_progress' };

    const taken = await sql`
      update idempotency_keys set held_by = ${wanted.processId}
       where api_key_id = ${wanted.apiKeyId} and key = ${wanted.key}
         and status is null and held_by is not distinct from ${row.heldBy}
      returning key`;
    if (taken.length > 0) return { kind: 'claimed', ids: row.ids, resumed: true };
  }
  return { kind: 'in_progress' };
}

export interface Lease {
  readonly apiKeyId: string;
  readonly key: string;
  readonly processId: string;
}

/** Keeps the answer for every repetition. Does nothing if the lease was lost. */
export async function keepAnswer(sql: Sql, lease: Lease, answer: StoredAnswer): Promise<void> {
  const response = JSON.stringify({ headers: answer.headers, body: answer.body });
  await sql`
    update idempotency_keys set status = ${answer.status}, response = ${response}::text::jsonb, held_by = null
     where api_key_id = ${lease.apiKeyId} and key = ${lease.key} and held_by = ${lease.processId}`;
}

/** Nothing was done: the key is as if it had never come. */
export async function forget(sql: Sql, lease: Lease): Promise<void> {
  await sql`
    delete from idempotency_keys
     where api_key_id = ${lease.apiKeyId} and key = ${lease.key} and held_by = ${lease.processId}`;
}

/** Something may have been done: the next call resumes with the same ids. */
export async function letGo(sql: Sql, lease: Lease): Promise<void> {
  await sql`
    update idempotency_keys set held_by = null
     where api_key_id = ${lease.apiKeyId} and key = ${lease.key} and held_by = ${lease.processId}`;
}

/** How long an API process counts as alive after its last sign of life. */
const aliveForSeconds = 5;

/** Says that this API process lives; to be repeated every second. */
export async function signOfLife(sql: Sql, processId: string): Promise<void> {
  await sql`
    insert into api_processes (id, alive_until) values (${processId}, clock_timestamp() + ${aliveForSeconds} * interval '1 s')
    on conflict (id) do update set alive_until = excluded.alive_until`;
}

/** Says that this API process has ended, in order; what it held may be taken over at once. */
export async function signOff(sql: Sql, processId: string): Promise<void> {
  await sql`delete from api_processes where id = ${processId}`;
}

/** Keys are kept at least this long. */
const keptHours = 24;

/**
 * Deletes at most `limit` rows that are past their time, and API processes that are long dead. Returns how many keys went;
 * to be repeated until that is less than `limit`.
 */
export async function deleteOldKeys(sql: Sql, limit: number): Promise<number> {
  await sql`delete from api_processes where alive_until < now() - interval '1 h'`;
  // An array, and not a set to be joined with: rows are fetched by their place, whatever the planner expects.
  const deleted = await sql`
    delete from idempotency_keys where ctid = any (array(
      select ctid from idempotency_keys where created_at < now() - ${keptHours} * interval '1 h'
      order by created_at limit ${limit}))`;
  return deleted.count;
}
