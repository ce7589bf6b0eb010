/** The API's address and key: from the environment, else from the running stack's dev.json. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export interface Connection {
  /** Without a slash at its end. */
  readonly apiUrl: string;
  readonly apiKey: string;
}

export type ConnectionResult =
  | { readonly kind: 'connection'; readonly connection: Connection }
  /** Something is set, but cannot be used. */
  | { readonly kind: 'wrong'; readonly detail: string }
  /** Nothing is set and no stack runs here. */
  | { readonly kind: 'none'; readonly detail: string };

/** What dev.json says about a stack. A member is absent if the file lacks it or it is not text. */
export interface RunningStack {
  readonly apiUrl?: string | undefined;
  readonly apiKey?: string | undefined;
  readonly temporalAddress?: string | undefined;
  readonly temporalNamespace?: string | undefined;
  readonly temporalCliPath?: string | undefined;
}

export type StackResult =
  | { readonly kind: 'stack'; readonly stack: RunningStack; readonly file: string }
  | Exclude<ConnectionResult, { readonly kind: 'connection' }>;

interface Folders {
  readonly current: string;
  readonly projectRoot: string;
}

/**
 * Finds the API. `HOLDFAST_API_URL` and `HOLDFAST_API_KEY` come first; without them dev.json names it (`findStack`). The
 * key of a dev.json is never sent to an address that was set by hand.
 */
export function findConnection(env: Readonly<Record<string, string | undefined>>, folders: Folders): ConnectionResult {
  const url = env.HOLDFAST_API_URL || null;
  const key = env.HOLDFAST_API_KEY || null;
  if (url !== null && key === null)
    return { kind: 'wrong', detail: 'HOLDFAST_API_URL is set, so HOLDFAST_API_KEY must be set too' };
  if (url !== null && key !== null) return checked(url, key, 'HOLDFAST_API_URL and HOLDFAST_API_KEY');

  const found = findStack(env, folders);
  if (found.kind === 'none')
    return {
      kind: 'none',
      detail: `cannot reach the API: ${found.detail}. Start one with npm start, or set HOLDFAST_API_URL and HOLDFAST_API_KEY`,
    };
  if (found.kind === 'wrong') return found;
  const { apiUrl, apiKey } = found.stack;
  if (apiUrl === undefined || apiKey === undefined)
    return { kind: 'wrong', detail: `${found.file} does not name an API: restart the stack` };
  return checked(apiUrl, key ?? apiKey, found.file);
}

/** Reads dev.json in `$HOLDFAST_HOME`, or in `.holdfast` below the current folder and then below the project root. */
export function findStack(env: Readonly<Record<string, string | undefined>>, folders: Folders): StackResult {
  const homes = env.HOLDFAST_HOME
    ? [resolve(folders.current, env.HOLDFAST_HOME)]
    : [...new Set([join(folders.current, '.holdfast'), join(folders.projectRoot, '.holdfast')])];
  for (const home of homes) {
    const file = join(home, 'dev.json');
    const text = readIfThere(file);
    if (text.kind === 'absent') continue;
    if (text.kind === 'unreadable') return { kind: 'wrong', detail: `cannot read ${file}: ${text.detail}` };
    const content = jsonOrNull(text.content);
    if (typeof content !== 'object' || content === null)
      return { kind: 'wrong', detail: `${file} cannot be read: restart the stack` };
    const members = new Map<string, unknown>(Object.entries(content));
    const member = (name: string) => {
      const value = members.get(name);
      return typeof value === 'string' ? value : undefined;
    };
    const stack: RunningStack = {
      apiUrl: member('apiUrl'),
      apiKey: member('apiKey'),
      temporalAddress: member('temporalAddress'),
      temporalNamespace: member('temporalNamespace'),
      temporalCliPath: member('temporalCliPath'),
    };
    return { kind: 'stack', stack, file };
  }
  return { kind: 'none', detail: `no stack runs here (no dev.json in ${homes.join(' or ')})` };
}

function checked(apiUrl: string, apiKey: string, source: string): ConnectionResult {
  if (!URL.canParse(apiUrl) || !/^https?:$/.test(new URL(apiUrl).protocol))
    return { kind: 'wrong', detail: `${source}: the API's address must start with http:// or https://` };
  // Never repeat the key itself.
  if (!/^[\x21-\x7e]+$/.test(apiKey)) return { kind: 'wrong', detail: `${source}: this is not an API key` };
  return { kind: 'connection', connection: { apiUrl: withoutSlashes(apiUrl), apiKey } };
}

type Reading =
  | { readonly kind: 'content'; readonly content: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unreadable'; readonly detail: string };

function readIfThere(file: string): Reading {
  try {
    return { kind: 'content', content: readFileSync(file, 'utf8') };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'absent' };
    return { kind: 'unreadable', detail: String(code ?? error) };
  }
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A loop, because `/\/+$/` takes quadratic time on slashes in the middle. */
function withoutSlashes(url: string): string {
  let end = url.length;
  while (url[end - 1] === '/') end--;
  return url.slice(0, end);
}
