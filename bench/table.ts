/** What the benchmarks share: the stack they measure, and how they print. */
import type { StackPids } from '../dev/home/dev-json.js';

export interface Target {
  readonly apiUrl: string;
  readonly apiKey: string;
  readonly temporalAddress: string;
  readonly databaseUrl: string;
  readonly pids: StackPids;
}

export type Row = Readonly<Record<string, string | number>>;

/** Prints rows as a Markdown table, ready to paste into a document. */
export function printTable(title: string, rows: readonly Row[]): void {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cell = (row: Row, column: string) => String(row[column] ?? '');
  const width = (column: string) => Math.max(column.length, ...rows.map((row) => cell(row, column).length));
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  console.log(`\n## ${title}\n`);
  console.log(line(columns.map((column) => column.padEnd(width(column)))));
  console.log(line(columns.map((column) => '-'.repeat(width(column)))));
  for (const row of rows) console.log(line(columns.map((column) => cell(row, column).padEnd(width(column)))));
}
