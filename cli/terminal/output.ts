/** How things look on a terminal. */
import type { Problem } from '../connection/client.js';

export interface Column {
  readonly title: string;
  /** Numbers are right-aligned. */
  readonly align?: 'right';
}

/** Replaces control characters: the API's texts come from other people, and a terminal would obey them. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}|\p{Cf}/gu, '\u{fffd}');
}

/** Rows under their titles, as wide as their widest cell; null is `-`. Ends with a line feed. */
export function table(columns: readonly Column[], rows: readonly (readonly (string | number | null)[])[]): string {
  const cells = rows.map((row) => columns.map((_, at) => printable(String(row[at] ?? '-'))));
  const widths = columns.map((column, at) =>
    Math.max(column.title.length, ...cells.map((row) => row[at]?.length ?? 0)),
  );
  const line = (texts: readonly string[]) =>
    texts
      .map((text, at) => (columns[at]?.align ? text.padStart(widths[at] ?? 0) : text.padEnd(widths[at] ?? 0)))
      .join('  ')
      .trimEnd();
  return [line(columns.map((column) => column.title)), ...cells.map(line)].map((text) => `${text}\n`).join('');
}

/** One line per member: its name, then its value. Null members are left out. */
export function fields(members: readonly (readonly [string, string | number | null | undefined])[]): string {
  const there = members.flatMap(([name, value]) =>
    value == null ? [] : [[printable(name), printable(String(value))] as const],
  );
  const width = Math.max(...there.map(([name]) => name.length));
  return there.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join('');
}

/** `2026-11-21 05:41:07Z`: to the second, in UTC. */
export function moment(at: string): string {
  return at.replace('T', ' ').replace(/(\.\d+)?Z$/, 'Z');
}

/** `2026-11-21 05:41:07.123Z`: for lists in which the order within a second matters. */
export function preciseMoment(at: string): string {
  return at.replace('T', ' ').replace(/(\.\d{1,3})\d*Z$/, '$1Z');
}

/** `code: detail`, then a line for each wrong field, for the order, payment, transfer or subscription, and for how long to wait. */
export function describeProblem(problem: Problem, retryAfterMs: number | null = null): string {
  const lines = [
    `${problem.code}: ${problem.detail}`,
    ...(problem.errors ?? []).map(({ pointer, code, detail }) => {
      const reason = code === problem.code ? detail : `${code}: ${detail}`;
      return `  ${pointer || '/'}  ${reason}`;
    }),
    ...(problem.orderId === undefined ? [] : [`  order ${problem.orderId}`]),
    ...(problem.paymentId === undefined ? [] : [`  payment ${problem.paymentId}`]),
    ...(problem.transferId === undefined ? [] : [`  transfer ${problem.transferId}`]),
    ...(problem.subscriptionId === undefined ? [] : [`  subscription ${problem.subscriptionId}`]),
    ...(retryAfterMs === null ? [] : [`  try again in ${Math.ceil(retryAfterMs / 1000)} s`]),
    // Only if the log is needed to learn more.
    ...(problem.code === 'internal' && problem.requestId !== undefined ? [`  request ${problem.requestId}`] : []),
  ];
  return lines.map((line) => `${printable(line)}\n`).join('');
}
