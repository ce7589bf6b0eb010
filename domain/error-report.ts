/**
 * Reports of errors for logs and Temporal's history. Database errors quote rows, parameters and invalid values; a report
 * says what failed and where, without quoting data. Pure: it recognizes errors by their shape, since every process uses it.
 */

import { withoutTokens } from './payments/tokens.js';

export interface ErrorReport {
  /** The class, such as `PostgresError`. */
  readonly type: string;
  /** A code of Node or the driver, such as `ECONNREFUSED`, or an SQLSTATE. */
  readonly code?: string;
  /** Absent where it may quote data. */
  readonly message?: string;
  readonly constraint?: string;
  readonly table?: string;
  readonly column?: string;
  /** The prepared statement, without its parameters. */
  readonly statement?: string;
  /** Frames only: the head of a stack repeats the message. */
  readonly stack?: readonly string[];
  readonly cause?: ErrorReport;
  readonly errors?: readonly ErrorReport[];
}

const maxDepth = 4;
const maxErrors = 3;
const maxFrames = 12;
const maxFrameLength = 200;
const maxMessageLength = 300;
const maxStatementLength = 500;
const maxNameLength = 100;

/** Reports an error in at most some kilobytes. Of a thrown value that is not an error, reports the type alone. */
export function reportError(error: unknown): ErrorReport {
  return report(error, 1);
}

/** The report as one line, for Temporal's history and reviews. */
export function errorLine(error: unknown): string {
  return lineOf(reportError(error));
}

function lineOf({ type, code, message, constraint, table, cause }: ErrorReport): string {
  const facts = Object.entries({ code, constraint, table }).filter(([, value]) => value !== undefined);
  const known = facts.map(([name, value]) => `${name} ${value}`).join(', ');
  const line = `${type}${message ? `: ${message}` : ''}${known && ` (${known})`}`;
  return cause ? `${line}; cause: ${lineOf(cause)}` : line;
}

function report(error: unknown, depth: number): ErrorReport {
  if (!isError(error)) return { type: error === null ? 'null' : typeof error };
  const { message } = error;
  const type = error.constructor.name;
  const code = nameOf(error, 'code');
  const constraint = nameOf(error, 'constraint_name');
  const table = nameOf(error, 'table_name');
  const column = nameOf(error, 'column_name');
  const cause = error.cause !== undefined && depth < maxDepth ? report(error.cause, depth + 1) : undefined;
  const errors = error instanceof AggregateError && depth < maxDepth ? error.errors.slice(0, maxErrors) : [];
  return {
    type: masked(type === '' || type === 'Object' ? error.name : type),
    ...(code && { code }),
    ...(!mayQuote(error) && { message: masked(message) }),
    ...(constraint && { constraint }),
    ...(table && { table }),
    ...(column && { column }),
    ...statementOf(error),
    ...stackOf(error),
    ...(cause && { cause }),
    ...(errors.length > 0 && { errors: errors.map((one) => report(one, depth + 1)) }),
  };
}

/** Not `instanceof` alone: an error from a workflow's sandbox has another `Error` class. */
function isError(error: unknown): error is Error {
  if (error instanceof Error) return true;
  return typeof error === 'object' && error !== null && 'message' in error && 'stack' in error && 'name' in error;
}

/** A name set by the database or Node, cut to a bounded length. */
function nameOf(error: Error, member: string): string | undefined {
  return textOf(error, member)?.slice(0, maxNameLength);
}

/** The driver's errors carry the statement as `query`; Drizzle's carry it too, and repeat it in their message. */
function statementOf(error: Error): { statement?: string } {
  const statement = textOf(error, 'query');
  return statement === undefined ? {} : { statement: statement.slice(0, maxStatementLength) };
}

function stackOf(error: Error): { stack?: readonly string[] } {
  if (typeof error.stack !== 'string') return {};
  // Cuts the message off first: its lines may look like frames.
  const start = error.stack.indexOf(error.message);
  const frames = (start === -1 ? error.stack : error.stack.slice(start + error.message.length))
    .slice(0, 10_000)
    .split('\n')
    .filter((line) => /^ {4}at [^'"`]*$/.test(line))
    .slice(0, maxFrames);
  return { stack: frames.map((line) => line.trim().slice(0, maxFrameLength)) };
}

/**
 * SQLSTATE classes whose messages quote no data: connections, roles, databases, conflicts of transactions, resources, names
 * of objects, operators, the system. All others may quote a value: class 22 does, and a trigger's own message may.
 */
const quotesNothing = /^(08|0A|25|28|3D|3F|40|42|53|55|57|58)[0-9A-Z]{3}$/;

function mayQuote(error: Error): boolean {
  // Drizzle's message is the statement with its parameters; JSON.parse quotes what it could not read.
  if (error instanceof SyntaxError || textOf(error, 'query') !== undefined) return !isKnownSqlState(error);
  return textOf(error, 'severity') !== undefined && !isKnownSqlState(error);
}

const isKnownSqlState = (error: Error) =>
  textOf(error, 'severity') !== undefined && quotesNothing.test(textOf(error, 'code') ?? '');

/** Masked in every message, as are card tokens, since logs must not contain them: mail addresses, keys, digests. */
const secrets = [
  [/[^\s@<>"'(),;:]{1,64}@[^\s@<>"'(),;:]{1,253}/g, '[mail]'],
  [/\bhf_[a-z0-9]{1,16}_[0-9a-f]{48}_[0-9a-f]{8}/g, '[key]'],
  [/\b[0-9a-f]{40,128}\b/g, '[digest]'],
] as const;

function masked(text: string): string {
  const short = text.slice(0, maxMessageLength);
  return secrets.reduce((shown, [pattern, name]) => shown.replace(pattern, name), withoutTokens(short));
}

function textOf(error: Error, name: string): string | undefined {
  const value: unknown = Reflect.get(error, name);
  return typeof value === 'string' ? value : undefined;
}
