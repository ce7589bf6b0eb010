/** Who is asking, and whether that key may. */
import type { RequestHandler } from 'express';
import type { Scope } from '../../db/api-keys.js';
import { findApiKey, readApiKey } from '../../db/api-keys.js';
import type { Database } from '../../db/client.js';
import { refusal } from '../../domain/errors.js';
import { type AuthenticatedKey, stateOf } from '../request-state.js';
import { sendRefusal } from './problem.js';

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

/** Lets through only keys that have the scope. */
export function authenticate(keys: KeyRing, scope: Scope): RequestHandler {
  return async (req, res, next) => {
    const [, token] = /^Bearer +(\S+) *$/i.exec(req.get('Authorization') ?? '') ?? [];
    const key = token === undefined ? null : await keys.find(token);
    if (!key) {
      res.set('WWW-Authenticate', `Bearer realm="holdfast"${token === undefined ? '' : ', error="invalid_token"'}`);
      const detail = token === undefined ? 'send `Authorization: Bearer <API key>`' : 'this API key is not valid';
      return sendRefusal(req, res, refusal('unauthorized', detail));
    }
    const state = stateOf(req);
    state.key = key;
    state.logged.apiKeyId = key.id;
    if (!key.scopes.includes(scope)) {
      res.set('WWW-Authenticate', `Bearer realm="holdfast", error="insufficient_scope", scope="${scope}"`);
      return sendRefusal(req, res, refusal('forbidden', `this API key lacks the scope ${scope}`));
    }
    next();
  };
}
