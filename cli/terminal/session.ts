/** One run of the command: its calls to the API, what it prints, and how it ends. */
import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { call, type Reply } from '../connection/client.js';
import type * as resources from '../connection/resources.js';
import type { ConnectionResult } from '../connection/settings.js';
import { describeProblem } from './output.js';

/** How the command ends. */
export const exitCodes = { done: 0, refused: 1, usage: 2, unreachable: 3, interrupted: 130 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** The name of an answer in resources.ts. */
export type ResourceName = keyof typeof resources;
export type Resource<N extends ResourceName> = z.infer<(typeof resources)[N]>;

export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Whether a person watches what goes to `err`. */
  readonly interactive: boolean;
}

export interface PostOptions {
  readonly wait?: number | undefined;
  readonly idempotencyKey?: string | undefined;
}

export class Session {
  exitCode: ExitCode = exitCodes.done;

  /** `json` is a function because it is known only once the whole command line has been read. */
  constructor(
    readonly terminal: Terminal,
    private readonly connect: () => ConnectionResult,
    readonly json: () => boolean,
  ) {}

  /** Reads. Undefined `query` members are left out. */
  get(path: string, query: Readonly<Record<string, string | number | undefined>> = {}): Promise<Reply | null> {
    const pairs = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== undefined) pairs.set(name, String(value));
    const search = pairs.size > 0 ? `?${pairs}` : '';
    return this.send({ method: 'GET', path: path + search });
  }

  /** Needs no key: repeating a change changes nothing more. */
  patch(path: string, body: unknown): Promise<Reply | null> {
    return this.send({ method: 'PATCH', path, body });
  }

  /** Needs no key: repeating a replacement replaces nothing more. */
  put(path: string, body: unknown): Promise<Reply | null> {
    return this.send({ method: 'PUT', path, body });
  }

  /** Needs no key: repeating a removal removes nothing more. */
  delete(path: string): Promise<Reply | null> {
    return this.send({ method: 'DELETE', path });
  }

  /** Acts once, however often it is sent. */
  async post(path: string, body: unknown, options: PostOptions = {}): Promise<Reply | null> {
    const idempotencyKey = options.idempotencyKey ?? `holdfast-cli-${randomUUID()}`;
    const reply = await this.send({ method: 'POST', path, body, idempotencyKey, waitSeconds: options.wait });
    if (reply?.kind !== 'unreachable' || options.idempotencyKey !== undefined) return reply;
    return {
      kind: 'unreachable',
      detail: `${reply.detail}; to try again and act once: --idempotency-key ${idempotencyKey}`,
    };
  }

  private async send(wanted: Parameters<typeof call>[1]): Promise<Reply | null> {
    const found = this.connect();
    if (found.kind !== 'connection') {
      this.fail(found.detail, found.kind === 'wrong' ? exitCodes.usage : exitCodes.unreachable);
      return null;
    }
    return await call(found.connection, wanted, (why) => this.tell(`${why}; retrying`));
  }

  /**
   * Prints the reply: with --json the API's own bytes, else what `render` makes of it. Returns the answer, or null after
   * setting the exit code.
   */
  async show<N extends ResourceName>(
    reply: Reply | null,
    name: N,
    render: (body: Resource<N>) => string,
  ): Promise<Resource<N> | null> {
    const body = await this.read(reply, name);
    if (body === null || reply?.kind !== 'answer') return null;
    this.terminal.out(this.json() ? withLineFeed(reply.text) : render(body));
    return body;
  }

  /** The answer, unprinted. Null if there is none; the reason is then reported. */
  async read<N extends ResourceName>(reply: Reply | null, name: N): Promise<Resource<N> | null> {
    if (reply === null) return null;
    if (reply.kind === 'unreachable') {
      this.fail(reply.detail, exitCodes.unreachable);
      return null;
    }
    if (reply.kind === 'problem') {
      if (this.json()) this.terminal.out(withLineFeed(reply.text));
      else this.terminal.err(describeProblem(reply.problem, reply.retryAfterMs));
      this.exitCode = exitCodes.refused;
      return null;
    }
    const parsed = await parse(name, reply.body);
    if (parsed !== null) return parsed;
    this.fail('this command does not understand the answer; is the API of another version?', exitCodes.refused);
    return null;
  }

  print(text: string): void {
    this.terminal.out(text);
  }

  /** Writes one line to stderr. */
  tell(line: string): void {
    this.terminal.err(`holdfast: ${line}\n`);
  }

  /** Writes one line to stderr and sets the exit code. */
  fail(line: string, exitCode: ExitCode): void {
    this.tell(line);
    this.exitCode = exitCode;
  }
}

/** The body as the named resource; null if it does not fit. The schemas are loaded with the first answer. */
export async function parse<N extends ResourceName>(name: N, body: unknown): Promise<Resource<N> | null> {
  const schemas: { readonly [M in ResourceName]: Schema<Resource<M>> } = await import('../connection/resources.js');
  const parsed = schemas[name].safeParse(body);
  return parsed.success ? parsed.data : null;
}

interface Schema<T> {
  safeParse(body: unknown): { readonly success: true; readonly data: T } | { readonly success: false };
}

function withLineFeed(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}
