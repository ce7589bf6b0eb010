/**
 * The request and the answer of each Idempotency-Key. A key's row is written before anything else happens: it fixes
 * the ids that the call creates, and names the API process that handles it. A later call that finds that process dead
 * takes the row over and repeats the call with the same ids.
 */
import type { Sql } from '../postgres/client.js';

/** The ids of one call: of the resource it creates, and of the update or operation it sends. */
export interface CallIds {
  readonly resource: string;
  readonly update: string;
}

export interface StoredAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Exactly as it was sent. */
  readonly body: string;
}

export interface Claim {
  readonly apiKeyId: string;
  readonly key: string;
  /** SHA-256 over method, path and body. */
  readonly requestHash: string;
  /** Used if the key is new. */
  readonly freshIds: CallIds;
  /** The API process that handles the call. */
  readonly processId: string;
}

/**
 * - `claimed`: proceed with these ids. `resumed`: an earlier attempt may already have acted.
 * - `answered`: the stored answer.
 * - `reused`: the key belongs to another request.
 * - `in_progress`: a live process is handling it.
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

/** A row may vanish or change hands between two statements; a few rounds settle it. */
const maxRounds = 10;

/** Whether the key was sent before: its call may have acted, and can be answered or resumed. */
export async function isKnownKey(sql: Sql, apiKeyId: string, key: string): Promise<boolean> {
  const rows = await sql`select from idempotency_keys where api_key_id = ${apiKeyId} and key = ${key}`;
  return rows.length > 0;
}

/** Claims the key, or returns why it cannot be claimed. */
export async function claim(sql: Sql, request: Claim): Promise<ClaimResult> {
  for (let round = 0; round < maxRounds; round++) {
    const inserted = await sql`
      insert into idempotency_keys (api_key_id, key, request_hash, ids, held_by)
      values (${request.apiKeyId}, ${request.key}, ${request.requestHash},
              ${JSON.stringify(request.freshIds)}::text::jsonb, ${request.processId})
      on conflict do nothing returning key`;
    if (inserted.length > 0) return { kind: 'claimed', ids: request.freshIds, resumed: false };

    const [row] = await sql<KeyRow[]>`
      select k.request_hash as "requestHash", k.ids, k.held_by as "heldBy", k.status, k.response,
             coalesce(p.alive_until > now(), false) as "holderAlive"
        from idempotency_keys k left join api_processes p on p.id = k.held_by
       where k.api_key_id = ${request.apiKeyId} and k.key = ${request.key}`;
    if (!row) continue;
    if (row.requestHash !== request.requestHash) return { kind: 'reused' };
    if (row.status !== null && row.response !== null)
      return { kind: 'answered', answer: { status: row.status, ...row.response } };
    if (row.heldBy !== null && row.holderAlive) return { kind: 'in_progress' };

    const taken = await sql`
      update idempotency_keys set held_by = ${request.processId}
       where api_key_id = ${request.apiKeyId} and key = ${request.key}
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

/** Stores the answer for every repetition. Does nothing if the lease was lost. */
export async function keepAnswer(sql: Sql, lease: Lease, answer: StoredAnswer): Promise<void> {
  const response = JSON.stringify({ headers: answer.headers, body: answer.body });
  await sql`
    update idempotency_keys set status = ${answer.status}, response = ${response}::text::jsonb, held_by = null
     where api_key_id = ${lease.apiKeyId} and key = ${lease.key} and held_by = ${lease.processId}`;
}

/** Deletes the key of a call that did nothing, as if it had never been sent. */
export async function forget(sql: Sql, lease: Lease): Promise<void> {
  await sql`
    delete from idempotency_keys
     where api_key_id = ${lease.apiKeyId} and key = ${lease.key} and held_by = ${lease.processId}`;
}

/** Releases the key of a call that may have acted: the next call resumes with the same ids. */
export async function letGo(sql: Sql, lease: Lease): Promise<void> {
  await sql`
    update idempotency_keys set held_by = null
     where api_key_id = ${lease.apiKeyId} and key = ${lease.key} and held_by = ${lease.processId}`;
}

/** How long an API process counts as alive after its last sign of life. */
const aliveForSeconds = 5;

/** Records that this API process is alive. Call it every second. */
export async function signOfLife(sql: Sql, processId: string): Promise<void> {
  await sql`
    insert into api_processes (id, alive_until) values (${processId}, clock_timestamp() + ${aliveForSeconds} * interval '1 s')
    on conflict (id) do update set alive_until = excluded.alive_until`;
}

/** Records that this API process has shut down: its keys can be taken over at once. */
export async function signOff(sql: Sql, processId: string): Promise<void> {
  await sql`delete from api_processes where id = ${processId}`;
}

/** Keys are stored for at least this long. */
const retentionHours = 24;

/**
 * Deletes at most `limit` keys whose retention has ended, and API processes that are long dead. Returns how many keys
 * were deleted; repeat it until that is less than `limit`.
 */
export async function deleteOldKeys(sql: Sql, limit: number): Promise<number> {
  await sql`delete from api_processes where alive_until < now() - interval '1 h'`;
  // An array rather than a join: Postgres then fetches the rows by ctid, whatever the planner estimates.
  const deleted = await sql`
    delete from idempotency_keys where ctid = any (array(
      select ctid from idempotency_keys where created_at < now() - ${retentionHours} * interval '1 h'
      order by created_at limit ${limit}))`;
  return deleted.count;
}
