/** The results of a bulk: in a file, from which a broken-off run is resumed, or in memory. */
import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { type CsvRow, csvLine, parseCsv } from './csv.js';
import type { Batch, Operation } from './file.js';

/** The result of one operation. */
export interface LineResult {
  readonly line: number;
  readonly operation: Operation;
  readonly success: boolean;
  readonly reservationId: string | null;
  readonly onHand: number | null;
  readonly reserved: number | null;
  readonly available: number | null;
  readonly code: string | null;
  readonly detail: string | null;
}

const resultColumns = [
  'line',
  'operation',
  'sku',
  'quantity',
  'location',
  'reservationId',
  'success',
  'onHand',
  'reserved',
  'available',
  'code',
  'detail',
  'batch',
] as const;

/** A results file has any number of rows. */
const limits = { rows: Number.POSITIVE_INFINITY, cellsPerRow: resultColumns.length };

export type Resumed =
  /** The batches that have results, with how many of their operations failed. */
  | { readonly kind: 'resumed'; readonly failed: ReadonlyMap<string, number> }
  /** The file holds the results of something else; it was not touched. */
  | { readonly kind: 'foreign' }
  | { readonly kind: 'unusable'; readonly problem: string };

/** Keeps the results of a bulk. */
export interface Results {
  /** Null if they are not in a file. */
  readonly path: string | null;
  /** @throws if they cannot be written; resuming then sends the batch again under its own key. */
  add(batch: Batch, results: readonly LineResult[]): void;
}

/** Results in memory, printed at the end. */
export class ResultList implements Results {
  readonly path = null;
  readonly rows: (readonly (string | number | null)[])[] = [];

  add(batch: Batch, results: readonly LineResult[]): void {
    for (const result of results) this.rows.push(cellsOf(batch, result));
  }

  /** In the form of a results file. */
  csv(): string {
    return [resultColumns, ...this.rows].map((row) => csvLine(row)).join('');
  }

  objects(): object[] {
    return this.rows.map((row) => {
      const members = Object.fromEntries(resultColumns.map((name, at) => [name, row[at] ?? null]));
      return { ...members, success: members.success === 'true' };
    });
  }
}

/**
 * Results in a file. Each batch is appended as a whole once the API has answered. If writing breaks off, resuming drops the
 * incomplete batch and sends it again under its own key.
 */
export class ResultFile implements Results {
  constructor(readonly path: string) {}

  /** Reads what an earlier run has written. */
  open(batches: readonly Batch[]): Resumed {
    try {
      const found = existsSync(this.path) ? parseCsv(completeLines(readFileSync(this.path, 'utf8')), limits) : null;
      if (found?.kind === 'wrong') return { kind: 'foreign' };
      return this.takeUp(batches, found?.rows ?? []);
    } catch (error) {
      return { kind: 'unusable', problem: error instanceof Error ? error.message : String(error) };
    }
  }

  private takeUp(batches: readonly Batch[], [head, ...lines]: readonly CsvRow[]): Resumed {
    if (head !== undefined && head.cells.join() !== resultColumns.join()) return { kind: 'foreign' };
    const written = new Map<string, CsvRow[]>(batches.map(({ key }) => [key, []]));
    for (const row of lines) {
      const ofBatch = written.get(row.cells[resultColumns.indexOf('batch')] ?? '');
      if (ofBatch === undefined) return { kind: 'foreign' };
      ofBatch.push(row);
    }
    const failed = new Map<string, number>();
    let text = csvLine(resultColumns);
    for (const { key, operations } of batches) {
      const rows = written.get(key) ?? [];
      if (rows.length !== operations.length) continue;
      text += rows.map(({ cells }) => csvLine(cells)).join('');
      failed.set(key, rows.filter(({ cells }) => cells[resultColumns.indexOf('success')] !== 'true').length);
    }
    writeFileSync(`${this.path}.new`, text);
    renameSync(`${this.path}.new`, this.path);
    return { kind: 'resumed', failed };
  }

  add(batch: Batch, results: readonly LineResult[]): void {
    appendFileSync(this.path, results.map((result) => csvLine(cellsOf(batch, result))).join(''));
  }
}

function cellsOf({ key }: Batch, result: LineResult): (string | number | null)[] {
  const { line, operation, reservationId, success, onHand, reserved, available, code, detail } = result;
  return [
    ...[line, operation.operation, operation.sku, operation.quantity, operation.location ?? null, reservationId],
    ...[String(success), onHand, reserved, available, code, detail, key],
  ];
}

/** Without an unfinished last line. */
function completeLines(text: string): string {
  return text.slice(0, text.lastIndexOf('\n') + 1);
}
