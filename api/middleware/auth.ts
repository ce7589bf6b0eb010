/** Who is asking, and whether that key may. */
import type { Request, RequestHandler, Response } from 'express';
import { findApiKey, readApiKey } from '../../db/access/api-keys.js';
import type { Database } from '../../db/postgres/client.js';
import { type Refusal, refusal } from '../../domain/errors.js';
import type { Scope } from '../../domain/scopes.js';
import { type AuthenticatedKey, stateOf } from '../http/request-state.js';
import { sendRefusal } from './problem.js';
import type { AddressLimit } from './rate-limit.js';

/** A key that was found is not asked for again for so long; a revoked one works no longer than this elsewhere. */
const trustedForMs = 5000;
const maxTrustedKeys = 10_000;

export class KeyRing {
  readonly #trusted = new Map<string, { readonly key: AuthenticatedKey; readonly until: number }>();
  readonly #asked = new Map<string, Promise<AuthenticatedKey | null>>();

  constructor(private readonly db: Database) {}

  /** The key that this text is, or null where it is none, unknown or revoked. Throws where Postgres cannot be asked. */
  async find(text: string): Promise<AuthenticatedKey | null> {
    const read = readApiKey(text);
    if (!read) return null;
    const known = this.#trusted.get(read.hash);
    if (known && known.until > performance.now()) return known.key;
    const asked = this.#asked.get(read.hash) ?? this.#ask(read);
    this.#asked.set(read.hash, asked);
    return asked;
  }

  /** Whether the text is a key that was valid when it was last looked up. */
  knows(text: string): boolean {
    const read = readApiKey(text);
    return read !== null && this.#trusted.has(read.hash);
  }

  /** Forgets what it knows of a key that was revoked here. */
  forget(id: string): void {
    for (const [hash, { key }] of this.#trusted) if (key.id === id) this.#trusted.delete(hash);
  }

  async #ask({ hash, env }: { hash: string; env: string }): Promise<AuthenticatedKey | null> {
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
      this.#asked.delete(hash);
    }
  }
}

/** Authorization as of RFC 6750: the token, or undefined where there is none. */
function bearerToken(req: Request): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(req.get('Authorization') ?? '')?.[1];
}

/**
 * Finds out whose key the request carries; null where it carries no valid one, which counts against its address. `limited`
 * where that address has used its share: keys that were never seen valid are then not even looked up.
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
    // That Postgres cannot be asked is not the caller's fault.
    await addresses.forgive(req, res);
    throw error;
  }
  if (!key) return { kind: 'none', tried: token !== undefined };
  await addresses.forgive(req, res);
  return { kind: 'key', key };
}

/** What identifies callers. */
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

/** Lets through only callers with a valid key. */
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

/** Lets callers with and without a key through: for paths that lead nowhere, which need none. */
export function recognise(gate: Gate): RequestHandler {
  return async (req, res, next) => {
    const caller = await identify(req, res, gate);
    if (caller.kind === 'limited') return sendRefusal(req, res, caller.refused);
    if (caller.kind === 'key') setKey(req, caller.key);
    next();
  };
}

/** Lets through only keys that have the scope. Comes after authentication. */
export function requireScope(scope: Scope): RequestHandler {
  return (req, res, next) => {
    if (stateOf(req).key?.scopes.includes(scope)) return next();
    res.set('WWW-Authenticate', `Bearer realm="holdfast", error="insufficient_scope", scope="${scope}"`);
    sendRefusal(req, res, refusal('forbidden', `this API key lacks the scope ${scope}`));
  };
}
