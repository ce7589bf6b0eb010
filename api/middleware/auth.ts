/** Authenticates callers by their API key, and checks the key's scopes. */
import type { Request, RequestHandler, Response } from 'express';
import { findApiKey, readApiKey } from '../../db/access/api-keys.js';
import type { Database } from '../../db/postgres/client.js';
import { type Refusal, refusal } from '../../domain/errors.js';
import type { Scope } from '../../domain/scopes.js';
import { type AuthenticatedKey, stateOf } from '../http/request-state.js';
import { sendRefusal } from './problem.js';
import type { AddressLimit } from './rate-limit.js';

/** How long a key is cached. A key that another process has revoked works here at most this long. */
const trustedForMs = 5000;
const maxTrustedKeys = 10_000;

export class KeyRing {
  readonly #trusted = new Map<string, { readonly key: AuthenticatedKey; readonly until: number }>();
  readonly #lookups = new Map<string, Promise<AuthenticatedKey | null>>();

  constructor(private readonly db: Database) {}

  /** The key that the text names; null if it is malformed, unknown or revoked. Throws if Postgres is unavailable. */
  async find(text: string): Promise<AuthenticatedKey | null> {
    const read = readApiKey(text);
    if (!read) return null;
    const cached = this.#trusted.get(read.hash);
    if (cached && cached.until > performance.now()) return cached.key;
    const lookup = this.#lookups.get(read.hash) ?? this.#lookUp(read);
    this.#lookups.set(read.hash, lookup);
    return lookup;
  }

  /** Whether the text is a key that was valid at its last lookup. */
  knows(text: string): boolean {
    const read = readApiKey(text);
    return read !== null && this.#trusted.has(read.hash);
  }

  /** Drops a key that was revoked here from the cache. */
  forget(id: string): void {
    for (const [hash, { key }] of this.#trusted) if (key.id === id) this.#trusted.delete(hash);
  }

  async #lookUp({ hash, env }: { hash: string; env: string }): Promise<AuthenticatedKey | null> {
    try {
      const found = await findApiKey(this.db, hash);
      this.#trusted.delete(hash);
      if (!found) return null;
      const [oldest] = this.#trusted.keys();
      if (oldest !== undefined && this.#trusted.size >= maxTrustedKeys) this.#trusted.delete(oldest);
      const key = { ...found, env };
      this.#trusted.set(hash, { key, until: performance.now() + trustedForMs });
      return key;
    } finally {
      this.#lookups.delete(hash);
    }
  }
}

/** The bearer token (RFC 6750); undefined if there is none. */
function bearerToken(req: Request): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(req.get('Authorization') ?? '')?.[1];
}

/**
 * Identifies the caller by its key. A request without a valid key counts against its address. `limited`: the address has
 * used up its limit, and only keys that were valid before are still looked up.
 */
async function identify(req: Request, res: Response, { keys, addresses }: Gate): Promise<Identity> {
  const token = bearerToken(req);
  if (token !== undefined && keys.knows(token)) {
    const key = await keys.find(token);
    if (key) return { kind: 'key', key };
  }
  const refused = await addresses.count(req, res);
  if (refused) return { kind: 'limited', refused };
  let key: AuthenticatedKey | null;
  try {
    key = token === undefined ? null : await keys.find(token);
  } catch (error) {
    // The caller is not to blame if Postgres is unavailable.
    await addresses.forgive(req, res);
    throw error;
  }
  if (!key) return { kind: 'none', tried: token !== undefined };
  await addresses.forgive(req, res);
  return { kind: 'key', key };
}

/** What it takes to identify callers. */
export interface Gate {
  readonly keys: KeyRing;
  readonly addresses: AddressLimit;
}

type Identity =
  | { readonly kind: 'key'; readonly key: AuthenticatedKey }
  | { readonly kind: 'none'; readonly tried: boolean }
  | { readonly kind: 'limited'; readonly refused: Refusal };

function setKey(req: Request, key: AuthenticatedKey): void {
  const state = stateOf(req);
  state.key = key;
  state.logged.apiKeyId = key.id;
}

/** Lets only callers with a valid key through. */
export function authenticate(gate: Gate): RequestHandler {
  return async (req, res, next) => {
    const caller = await identify(req, res, gate);
    if (caller.kind === 'limited') return sendRefusal(req, res, caller.refused);
    if (caller.kind === 'key') {
      setKey(req, caller.key);
      return next();
    }
    res.set('WWW-Authenticate', `Bearer realm="holdfast"${caller.tried ? ', error="invalid_token"' : ''}`);
    const detail = caller.tried ? 'this API key is not valid' : 'send `Authorization: Bearer <API key>`';
    sendRefusal(req, res, refusal('unauthorized', detail));
  };
}

/** Identifies callers but lets those without a key through too: unknown paths need no key. */
export function recognise(gate: Gate): RequestHandler {
  return async (req, res, next) => {
    const caller = await identify(req, res, gate);
    if (caller.kind === 'limited') return sendRefusal(req, res, caller.refused);
    if (caller.kind === 'key') setKey(req, caller.key);
    next();
  };
}

/** Lets only keys with the scope through. Comes after authentication. */
export function requireScope(scope: Scope): RequestHandler {
  return (req, res, next) => {
    if (stateOf(req).key?.scopes.includes(scope)) return next();
    res.set('WWW-Authenticate', `Bearer realm="holdfast", error="insufficient_scope", scope="${scope}"`);
    sendRefusal(req, res, refusal('forbidden', `this API key lacks the scope ${scope}`));
  };
}
