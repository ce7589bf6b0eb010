/**
 * API keys: `hf_<env>_<random>_<checksum>`, stored only as a hash. The checksum rejects a mistyped key without a query.
 * The random part has 192 bits, so a plain SHA-256 is enough.
 */
import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { and, desc, eq, getTableColumns, isNull, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import type { Scope } from '../../domain/scopes.js';
import type { AskedBy } from '../../domain/steps.js';
import { audited, inserted } from '../audit/audit.js';
import type { Database } from '../postgres/client.js';
import { behind, type Cursor, type Page, pageOf } from '../postgres/page.js';
import { apiKeys } from '../schema/index.js';

export interface NewApiKey {
  /** The secret itself: shown once, never stored. */
  readonly key: string;
  readonly id: string;
  readonly hash: string;
}

/** A stored key, with the hash of its secret, which never leaves the server. */
export type ApiKeyRow = typeof apiKeys.$inferSelect;

/** The author of keys made outside the API: by a migration, or by the embedded stack from its settings. */
const operator = 'operator';

const keyPattern = /^(hf_([a-z0-9]{1,16})_[0-9a-f]{48})_([0-9a-f]{8})$/;

const checksumOf = (text: string) => crc32(text).toString(16).padStart(8, '0');
const hashOf = (key: string) => createHash('sha256').update(key).digest('hex');

/** Generates a key without storing it. `env` is 1 to 16 lower-case letters or digits. */
export function newApiKey(env: string, id = `key_${uuidv7().replaceAll('-', '')}`): NewApiKey {
  const body = `hf_${env}_${randomBytes(24).toString('hex')}`;
  const key = `${body}_${checksumOf(body)}`;
  return { key, id, hash: hashOf(key) };
}

/** The hash and environment of a key; null if the text is no key or is mistyped. */
export function readApiKey(text: string): { readonly hash: string; readonly env: string } | null {
  const [, body, env, checksum] = keyPattern.exec(text) ?? [];
  if (body === undefined || env === undefined || checksumOf(body) !== checksum) return null;
  return { hash: hashOf(text), env };
}

/**
 * Makes this key valid with these scopes, even if it was revoked or had others; returns its id. Throws if the text is no
 * key.
 */
export async function ensureApiKey(
  db: Database,
  apiKey: { key: string; name: string; scopes: readonly Scope[] },
): Promise<string> {
  const read = readApiKey(apiKey.key);
  if (!read) throw new Error('not an API key: expected hf_<env>_<random>_<checksum>');
  const id = `key_${uuidv7().replaceAll('-', '')}`;
  const values = { name: apiKey.name, scopes: [...apiKey.scopes] };
  const by: AskedBy = { actor: operator, requestId: null };
  const [row] = await db
    .insert(apiKeys)
    .values({ id, hash: read.hash, createdBy: operator, ...values })
    .onConflictDoUpdate({ target: apiKeys.hash, set: { ...values, revokedAt: null, revokedBy: null } })
    .returning({
      id: apiKeys.id,
      audited: created(by, apiKey.scopes),
      // The statement's snapshot still has the row as it was.
      restored: audited(
        { by, action: 'key.restored', subject: subjectOfKey, detail: { scopes: apiKey.scopes } },
        sql`exists (select from api_keys k where k.hash = ${read.hash} and k.revoked_at is not null)`,
      ),
    });
  return row?.id ?? id;
}

/**
 * Stores a new key. The same id again replaces the secret: nobody saw the first one, since the request that made it was
 * cut off.
 */
export async function createApiKey(
  db: Database,
  { by, ...key }: { id: string; hash: string; name: string; scopes: readonly Scope[]; by: AskedBy },
): Promise<ApiKeyRow> {
  const [row] = await db
    .insert(apiKeys)
    .values({ ...key, scopes: [...key.scopes], createdBy: by.actor })
    .onConflictDoUpdate({ target: apiKeys.id, set: { hash: key.hash } })
    .returning({ ...getTableColumns(apiKeys), audited: created(by, key.scopes) });
  if (!row) throw new Error(`API key ${key.id} was not written`);
  return row;
}

const subjectOfKey = sql`'api_key/' || ${apiKeys.id}`;

function created(by: AskedBy, scopes: readonly Scope[]) {
  return audited({ by, action: 'key.created', subject: subjectOfKey, detail: { scopes } }, inserted);
}

/** The key with this hash; null if there is none or it is revoked. */
export async function findApiKey(db: Database, hash: string): Promise<Pick<ApiKeyRow, 'id' | 'scopes'> | null> {
  const [row] = await db
    .select({ id: apiKeys.id, scopes: apiKeys.scopes })
    .from(apiKeys)
    .where(and(eq(apiKeys.hash, hash), isNull(apiKeys.revokedAt)));
  return row ?? null;
}

/** All keys, newest first, including revoked ones. */
export async function listApiKeys(
  db: Database,
  query: { limit: number; cursor: Cursor | null },
): Promise<Page<ApiKeyRow>> {
  const rows = await db
    .select()
    .from(apiKeys)
    .where(behind(apiKeys.createdAt, apiKeys.id, query.cursor))
    .orderBy(desc(apiKeys.createdAt), desc(apiKeys.id))
    .limit(query.limit + 1);
  return pageOf('keys', rows, query.limit, (row) => ({ at: row.createdAt, id: row.id }));
}

/** Revokes a key; null if there is none. A revoked key stays unchanged. */
export async function revokeApiKey(db: Database, id: string, by: AskedBy): Promise<ApiKeyRow | null> {
  const [revoked] = await db
    .update(apiKeys)
    .set({ revokedAt: sql`clock_timestamp()`, revokedBy: by.actor })
    .where(and(eq(apiKeys.id, id), isNull(apiKeys.revokedAt)))
    .returning({ ...getTableColumns(apiKeys), audited: audited({ by, action: 'key.revoked', subject: subjectOfKey }) });
  if (revoked) return revoked;
  const [row] = await db.select().from(apiKeys).where(eq(apiKeys.id, id));
  return row ?? null;
}
