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

/** An answer that the command knows, by its name in resources.ts. */
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

  /** `json` is asked late, when the whole command line has been read. */
  constructor(
    readonly terminal: Terminal,
    private readonly connect: () => ConnectionResult,
    readonly json: () => boolean,
  ) {}

  /** Reads; `query` members that are undefined are left out. */
  get(path: string, query: Readonly<Record<string, string | number | undefined>> = {}): Promise<Reply | null> {
    const pairs = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== undefined) pairs.set(name, String(value));
    const search = pairs.size > 0 ? `?${pairs}` : '';
    return this.send({ method: 'GET', path: path + search });
  }

  /** A repeated change changes nothing more: no key is needed. */
  patch(path: string, body: unknown): Promise<Reply | null> {
    return this.send({ method: 'PATCH', path, body });
  }

  /** A repeated removal finds it removed: no key is needed. */
  delete(path: string): Promise<Reply | null> {
    return this.send({ method: 'DELETE', path });
  }

  /** Acts once, however often it has to be sent. */
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
   * Prints what came: with --json the API's own bytes, else what `render` makes of it. Returns the answer, or null where
   * there is none; the exit code is then set.
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

  /** The answer, unprinted; null where there is none, which has then been reported. */
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

  /** One line beside the output. */
  tell(line: string): void {
    this.terminal.err(`holdfast: ${line}\n`);
  }

  /** One line, and the exit code. */
  fail(line: string, exitCode: ExitCode): void {
    this.tell(line);
    this.exitCode = exitCode;
  }
}

/** The body as the resource of this name; null where it is none. The schemas are loaded when the first answer is there. */
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
