/** One run of the command: its calls to the API, what it prints, and how it ends. */
import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { call, type Reply } from './client.js';
import type { ConnectionResult } from './connection.js';
import { describeProblem } from './output.js';

/** How the command ends. */
export const exitCodes = { done: 0, refused: 1, usage: 2, unreachable: 3 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Whether a person sees what goes to `err` at once. */
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
  get(
    path: string,
    query: Readonly<Record<string, string | number | undefined>> = {},
    more: { readonly answerSeconds?: number } = {},
  ): Promise<Reply | null> {
    const pairs = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== undefined) pairs.set(name, String(value));
    const search = pairs.size > 0 ? `?${pairs}` : '';
    return this.send({ method: 'GET', path: path + search, ...more });
  }

  /** The same again changes nothing more: no key is needed. */
  patch(path: string, body: unknown): Promise<Reply | null> {
    return this.send({ method: 'PATCH', path, body });
  }

  /** The same again finds it gone or ended already: no key is needed. */
  delete(path: string): Promise<Reply | null> {
    return this.send({ method: 'DELETE', path });
  }

  /** Acts once, however often it has to be sent. */
  async post(path: string, body: unknown, options: PostOptions = {}): Promise<Reply | null> {
    const idempotencyKey = options.idempotencyKey ?? `holdfast-cli-${randomUUID()}`;
    const reply = await this.send({ method: 'POST', path, body, idempotencyKey, waitSeconds: options.wait });
    if (reply?.kind !== 'unreachable') return reply;
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
    return await call(found.connection, wanted, (why) => this.terminal.err(`${why}; trying on\n`));
  }

  /**
   * Prints what came: with --json the API's own bytes, else what `render` makes of it. Returns what was answered, or
   * null where there is no answer to go on with; the exit code is then set.
   */
  show<S extends z.ZodType>(reply: Reply | null, schema: S, render: (body: z.infer<S>) => string): z.infer<S> | null {
    const body = this.read(reply, schema);
    if (body === null || reply?.kind !== 'answer') return null;
    this.terminal.out(this.json() ? withLineFeed(reply.text) : render(body));
    return body;
  }

  /** What was answered, unprinted; null where there is none, which has then been told. */
  read<S extends z.ZodType>(reply: Reply | null, schema: S): z.infer<S> | null {
    if (reply === null) return null;
    if (reply.kind === 'unreachable') {
      this.fail(reply.detail, exitCodes.unreachable);
      return null;
    }
    if (reply.kind === 'problem') {
      if (this.json()) this.terminal.out(withLineFeed(reply.text));
      else this.terminal.err(describeProblem(reply.problem));
      this.exitCode = exitCodes.refused;
      return null;
    }
    const parsed = schema.safeParse(reply.body);
    if (parsed.success) return parsed.data;
    this.fail(
      'the API answered with something that this command does not know; is it of another version?',
      exitCodes.refused,
    );
    return null;
  }

  print(text: string): void {
    this.terminal.out(text);
  }

  /** One line that goes with what was said before. */
  tell(line: string): void {
    this.terminal.err(`holdfast: ${line}\n`);
  }

  /** One line, and the exit code. */
  fail(line: string, exitCode: ExitCode): void {
    this.terminal.err(`holdfast: ${line}\n`);
    this.exitCode = exitCode;
  }
}

function withLineFeed(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}
