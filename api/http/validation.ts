/** Turns Zod's issues into field errors. They never repeat a value that the client sent. */
import type { z } from 'zod';
import type { FieldError } from './reply.js';

/** So that a small body with many errors does not get a large answer. */
const maxFieldErrors = 50;
const maxDetailLength = 200;
/** Longer names in a pointer are cut. Our own field names are shorter. */
const maxNameLength = 64;

/** The first invalid fields of `input`, each by its JSON pointer; at most `maxFieldErrors`. */
export function fieldErrors(issues: readonly z.core.$ZodIssue[], input: unknown): FieldError[] {
  const errors: FieldError[] = [];
  for (const issue of issues) {
    for (const error of errorsOf(issue, issue.path, input)) {
      errors.push({ ...error, detail: error.detail.slice(0, maxDetailLength) });
      if (errors.length === maxFieldErrors) return errors;
    }
  }
  return errors;
}

function* errorsOf(issue: z.core.$ZodIssue, path: readonly PropertyKey[], input: unknown): Generator<FieldError> {
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys)
      yield { pointer: pointerTo([...path, key]), code: 'unknown_field', detail: 'is not a known field' };
    return;
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // The alternative that fits best is the most helpful: one of the value's own type, then the one with the fewest unknown
    // fields, then the one with the fewest issues.
    const misfit = (issues: readonly z.core.$ZodIssue[]) =>
      issues.reduce((sum, inner) => sum + (isOfAnotherType(inner) ? 10_000 : 0) + (hasUnknownKeys(inner) ? 100 : 1), 0);
    const [closest] = [...issue.errors].sort((a, b) => misfit(a) - misfit(b));
    for (const inner of closest ?? []) yield* errorsOf(inner, [...path, ...inner.path], input);
    return;
  }
  const pointer = pointerTo(path);
  if (valueAt(input, path) === undefined) yield { pointer, code: 'required', detail: 'is required' };
  else yield { pointer, code: issue.code === 'custom' ? 'invalid' : issue.code, detail: issue.message };
}

const isOfAnotherType = ({ code, path }: z.core.$ZodIssue) =>
  path.length === 0 && (code === 'invalid_type' || code === 'invalid_value');
const hasUnknownKeys = ({ code }: z.core.$ZodIssue) => code === 'unrecognized_keys';

function pointerTo(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${shortened(String(part)).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function shortened(name: string): string {
  return name.length <= maxNameLength ? name : `${name.slice(0, maxNameLength)}…`;
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Reflect.get(value, part);
  }
  return value;
}
