/** Zod's findings in the words of the contract. No value that a client sent is repeated. */
import type { z } from 'zod';
import type { FieldError } from './reply.js';

/** The wrong fields of `input`, each by its JSON pointer. */
export function fieldErrors(issues: readonly z.core.$ZodIssue[], input: unknown): FieldError[] {
  return issues.flatMap((issue) => errorsOf(issue, issue.path, input));
}

function errorsOf(issue: z.core.$ZodIssue, path: readonly PropertyKey[], input: unknown): FieldError[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      pointer: pointerTo([...path, key]),
      code: 'unknown_field',
      detail: 'is not a field here',
    }));
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // The alternative that fits best tells most: the one that knows the fields that were sent, then the one with least to say.
    const misfit = (issues: readonly z.core.$ZodIssue[]) =>
      issues.length + issues.filter((inner) => inner.code === 'unrecognized_keys').length * 100;
    const [closest] = [...issue.errors].sort((a, b) => misfit(a) - misfit(b));
    return (closest ?? []).flatMap((inner) => errorsOf(inner, [...path, ...inner.path], input));
  }
  if (valueAt(input, path) === undefined)
    return [{ pointer: pointerTo(path), code: 'required', detail: 'is required' }];
  return [{ pointer: pointerTo(path), code: issue.code === 'custom' ? 'invalid' : issue.code, detail: issue.message }];
}

function pointerTo(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Reflect.get(value, part);
  }
  return value;
}
