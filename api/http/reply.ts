/** What a handler returns: an answer or a refusal, as values. */
import type { Refusal, RefusalCode } from '../../domain/errors.js';
import { refusal } from '../../domain/errors.js';
import { detailOf, type FactualCode, type RefusalFacts } from '../../domain/refusals.js';

export interface Answer<Status extends number = number, Body = unknown> {
  readonly kind: 'answer';
  readonly status: Status;
  readonly body: Body;
  readonly headers: Readonly<Record<string, string>>;
  /** The body for a repeated call, if it must differ: a secret is shown only once. */
  readonly repeatedBody?: Body;
}

export interface Refused {
  readonly kind: 'refused';
  readonly refusal: Refusal;
  /** The invalid fields, if the refusal is about fields. */
  readonly fields?: readonly FieldError[];
  /** A later call with the same Idempotency-Key resumes what this one has begun. Only of refusals that are not stored. */
  readonly resumable?: true;
}

/** @template Answers the answers that the route may give, each a status with its body */
export type Reply<Answers extends Answer = Answer> = Answers | Refused;

/** An answer; the compiler checks its body against the route's schema for that status. */
export function answer<const Status extends number, Body>(
  status: Status,
  body: Body,
  headers: Readonly<Record<string, string>> = {},
): Answer<Status, Body> {
  return { kind: 'answer', status, body, headers };
}

export function refuse(code: RefusalCode, detail: string, extensions?: Readonly<Record<string, unknown>>): Refused {
  return { kind: 'refused', refusal: refusal(code, detail, extensions) };
}

export function refuseWith(refused: Refusal, extensions?: Readonly<Record<string, unknown>>): Refused {
  return {
    kind: 'refused',
    refusal: extensions ? { ...refused, extensions: { ...refused.extensions, ...extensions } } : refused,
  };
}

export const unavailable = (server: string): Refused => refuse('unavailable', `${server} does not answer; try again`);

/** The refusal for a saga whose workflow failed or was terminated: the sweep starts it again. */
export const beingResumed = (what: string, extensions: Readonly<Record<string, unknown>>): Refused => {
  const detail = `the workflow of this ${what} ended too early; the next sweep resumes it, unless a review says that this happened too often`;
  return refuse('unavailable', detail, extensions);
};

/** One invalid field, by its JSON pointer (RFC 6901). */
export interface FieldError {
  readonly pointer: string;
  readonly code: string;
  readonly detail: string;
}

/** A field that names something unknown or breaks a rule, in the words of domain/refusals.ts. */
export function fieldRefused<Code extends FactualCode>(
  pointer: string,
  code: Code,
  facts: RefusalFacts[Code],
): FieldError {
  return { pointer, code, detail: detailOf(code, facts) };
}

/** A refusal of fields: `detail` names them, and `errors` explains each. The caller limits their number. */
export function refuseFields(code: RefusalCode, errors: readonly FieldError[]): Refused {
  return { ...refuse(code, `not valid: ${places(errors)}`, { errors }), fields: errors };
}

const namedPlaces = 5;
const longestPlace = 80;

function places(errors: readonly FieldError[]): string {
  const named = errors
    .slice(0, namedPlaces)
    .map(({ pointer }) => (pointer === '' ? 'the request as a whole' : pointer.slice(0, longestPlace)));
  const more = errors.length - named.length;
  return `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** The whole refusal in one text, for answers that have no `errors`. */
export function reasonOf({ refusal, fields }: Refused): string {
  return fields ? fields.map(({ pointer, detail }) => `${pointer || '/'}: ${detail}`).join('; ') : refusal.detail;
}
