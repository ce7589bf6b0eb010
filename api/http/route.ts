/** Routes, each declared once: the same schemas validate requests and make the OpenAPI document, so the two cannot differ. */
import type { Logger } from 'pino';
import { z } from 'zod';
import type { CallIds } from '../../db/access/idempotency.js';
import type { RefusalCode } from '../../domain/errors.js';
import type { Scope } from '../../domain/scopes.js';
import type { Caller } from '../../workflows/shared/contract.js';
import type { IdPrefix } from './ids.js';
import { type Answer, type Refused, type Reply, refuse, refuseFields } from './reply.js';
import type { AuthenticatedKey } from './request-state.js';
import { fieldErrors } from './validation.js';

/** A call, apart from its parameters, query and body. */
export interface CallContext {
  /** Every id and operation key of the call derives from these, so that a repeated call acts only once. */
  readonly ids: CallIds;
  /** Whether an earlier attempt with the same ids may have acted already. */
  readonly resumed: boolean;
  readonly caller: Caller;
  readonly key: AuthenticatedKey;
  /** How long the client is willing to wait for a decision (`Prefer`). */
  readonly waitMs: number;
  readonly log: Logger;
  /** Adds members to the request's log line: ids, never personal data. */
  note(facts: Readonly<Record<string, string | number | boolean>>): void;
}

export type Call<P, Q, B> = CallContext & { readonly params: P; readonly query: Q; readonly body: B };

/** No fields: the default schema of a route's parameters, query and body. */
const nothing = z.strictObject({});
type Nothing = typeof nothing;

/** A value of a schema, read-only at every depth. */
export type Shape<Schema extends z.ZodType> = ReadOnly<z.output<Schema>>;

type ReadOnly<T> = T extends readonly (infer Item)[]
  ? readonly ReadOnly<Item>[]
  : T extends object
    ? { readonly [Member in keyof T]: ReadOnly<T[Member]> }
    : T;

/** The schema of each status's body. */
type Answers = Readonly<Record<number, z.ZodType>>;

/** What a handler may reply: an answer whose body fits the schema of its status, or a refusal. */
type ReplyOf<A extends Answers> = Reply<
  { [Status in keyof A & number]: Answer<Status, Shape<A[Status]>> }[keyof A & number]
>;

/** The example of a call in the OpenAPI document. */
interface Example<Sent = unknown, Answered = unknown> {
  readonly body?: Sent;
  readonly answer: Answered;
  /** The answer for the second status in `answers`, if it looks different. */
  readonly pending?: Answered;
}

interface Described {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** In Express's form: `/api/orders/:id`. */
  readonly path: string;
  readonly tag: string;
  /** A few words, in the imperative. */
  readonly summary: string;
  /** What it does and what a caller must know about it: one or a few sentences, in Markdown. */
  readonly description: string;
  readonly example: Example;
  readonly scope: Scope;
  /** The schemas of its successful answers, by status. */
  readonly answers: Answers;
  /** The codes of its refusals, besides those that every route may give. */
  readonly refusals?: readonly RefusalCode[];
  /** For a POST that creates a resource: the prefix of its id. */
  readonly creates?: IdPrefix;
  /** Whether it waits as long as `Prefer` says. */
  readonly waits?: boolean;
  /** Whether each call starts a saga of its own; such calls are admitted only as fast as sagas are decided. */
  readonly startsSaga?: boolean;
}

interface RouteSpec<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, A extends Answers>
  extends Described {
  readonly answers: A;
  readonly example: Example<ReadOnly<z.input<B>>, Shape<A[keyof A & number]>>;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly handler: (call: Call<z.output<P>, z.output<Q>, z.output<B>>) => Promise<ReplyOf<A>>;
}

interface RawRequest {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

type Prepared =
  | { readonly kind: 'invalid'; readonly refused: Refused }
  | { readonly kind: 'ready'; readonly act: (context: CallContext) => Promise<Reply> };

export interface Route extends Described {
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  /** Validates the request without carrying it out. */
  prepare(raw: RawRequest): Prepared;
}

/** Declares a route. Invalid path parameters are 404, since such a resource cannot exist; other errors are 422 with pointers. */
export function route<
  A extends Answers,
  P extends z.ZodType = Nothing,
  Q extends z.ZodType = Nothing,
  B extends z.ZodType = Nothing,
>(spec: RouteSpec<P, Q, B, A>): Route {
  const { handler, ...described } = spec;
  return {
    ...described,
    prepare(raw) {
      const params = (spec.params ?? nothing).safeParse(raw.params);
      if (!params.success) return { kind: 'invalid', refused: refuse('not_found', 'no such resource') };
      const query = (spec.query ?? nothing).safeParse(raw.query);
      if (!query.success) return invalid(query.error, raw.query);
      const body = (spec.body ?? nothing).safeParse(raw.body);
      if (!body.success) return invalid(body.error, raw.body);
      const parsed = {
        params: params.data as z.output<P>,
        query: query.data as z.output<Q>,
        body: body.data as z.output<B>,
      };
      return { kind: 'ready', act: (context) => handler({ ...context, ...parsed }) };
    },
  };
}

function invalid(error: z.ZodError, input: unknown): Prepared {
  return { kind: 'invalid', refused: refuseFields('validation_failed', fieldErrors(error.issues, input)) };
}
