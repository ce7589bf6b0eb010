/** What a handler gives back: an answer or a refusal, as values. */
import type { Refusal, RefusalCode } from '../../domain/errors.js';
import { refusal } from '../../domain/errors.js';
import { detailOf, type FactualCode, type RefusalFacts } from '../../domain/refusals.js';

export interface Answer<Status extends number = number, Body = unknown> {
  readonly kind: 'answer';
  readonly status: Status;
  readonly body: Body;
  readonly headers: Readonly<Record<string, string>>;
  /** What a repetition of the call is answered, where that must differ: a secret is shown once. */
  readonly repeatedBody?: Body;
}

export interface Refused {
  readonly kind: 'refused';
  readonly refusal: Refusal;
  /** What is wrong with which field, where the refusal is about fields. */
  readonly fields?: readonly FieldError[];
}

/** @template Answers the answers that the route may give, each a status with its body */
export type Reply<Answers extends Answer = Answer> = Answers | Refused;

/** An answer; the compiler holds its body against the route's schema for that status. */
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

/** What is asked of a saga whose workflow an operator has ended, or that failed: the sweep starts it again. */
export const beingResumed = (what: string, extensions: Readonly<Record<string, unknown>>): Refused => {
  const detail = `the workflow of this ${what} was ended before the ${what} was; the next sweep resumes it, unless a review says that it was lost too often`;
  return refuse('unavailable', detail, extensions);
};

/** One wrong field, by its JSON pointer (RFC 6901). */
export interface FieldError {
  readonly pointer: string;
  readonly code: string;
  readonly detail: string;
}

/** A field that names what there is not, or what a rule refuses: in the words of domain/refusals.ts. */
export function fieldRefused<Code extends FactualCode>(
  pointer: string,
  code: Code,
  facts: RefusalFacts[Code],
): FieldError {
  return { pointer, code, detail: detailOf(code, facts) };
}

/** A refusal that names fields: `detail` says which, and `errors` what is wrong with each. The caller bounds the list. */
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

/** What is wrong, in one text: for places that have no room for `errors`. */
export function reasonOf({ refusal, fields }: Refused): string {
  return fields ? fields.map(({ pointer, detail }) => `${pointer || '/'}: ${detail}`).join('; ') : refusal.detail;
}
