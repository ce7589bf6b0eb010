/** The files of a bulk: the operations that it reads, and the results that it writes next to them. */
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { codePattern, maxOperationsPerBulk, maxQuantity } from '../domain/stock.js';
import { csvLine, parseCsv } from './csv.js';

/** As the API takes it. */
interface Operation {
  readonly operation: string;
  readonly sku: string;
  readonly quantity: number;
  readonly location?: string;
  readonly reservationId?: string;
}

interface NumberedOperation {
  /** Of the file, from 1. */
  readonly line: number;
  readonly operation: Operation;
}

/** What goes to the API in one call. */
export interface Batch {
  /**
   * Names the content of the whole file, the run, and the lines: the same batch of the same file is the same call, however
   * often it is made. The parts are divided by what does not divide a card number's digits, or the API now and then would
   * take some of them for one.
   */
  readonly key: string;
  readonly operations: readonly NumberedOperation[];
}

export type BulkFile =
  | { readonly kind: 'batches'; readonly batches: readonly Batch[] }
  | { readonly kind: 'wrong'; readonly problems: readonly string[] };

const columns = ['operation', 'sku', 'quantity', 'location', 'reservationId'] as const;
const required: readonly string[] = ['operation', 'sku', 'quantity'];

/**
 * Reads a file of operations and cuts it into batches. Nothing is wrong in it, or nothing is read: `wrong` names every
 * line that no API could take.
 * @param run tells runs of the same content apart that are meant to be done again
 */
export function readBulkFile(path: string, run: string): BulkFile {
  const content = readFileSync(path);
  const rows = parseCsv(content.toString('utf8'));
  if (rows === null) return { kind: 'wrong', problems: ['a quote is not closed'] };
  const [head, ...lines] = rows;
  const wrongHead = headProblem(head?.cells ?? []);
  if (wrongHead) return { kind: 'wrong', problems: [wrongHead] };
  if (lines.length === 0) return { kind: 'wrong', problems: ['there is no operation in it'] };

  const problems: string[] = [];
  const operations = lines.flatMap(({ line, cells }): NumberedOperation[] => {
    const cell = (name: string) => cells[head?.cells.indexOf(name) ?? -1] ?? '';
    const problem = cells.length > (head?.cells.length ?? 0) ? 'more cells than columns' : operationProblem(cell);
    if (problem) problems.push(`line ${line}: ${problem}`);
    const [location, reservationId] = [cell('location'), cell('reservationId')];
    const operation = {
      operation: cell('operation'),
      sku: cell('sku'),
      quantity: Number(cell('quantity')),
      ...(location !== '' && { location }),
      ...(reservationId !== '' && { reservationId }),
    };
    return [{ line, operation }];
  });
  if (problems.length > 0) return { kind: 'wrong', problems };

  const hash = createHash('sha256').update(content).update(`\0${run}`).digest('hex');
  const batches: Batch[] = [];
  for (let from = 0; from < operations.length; from += maxOperationsPerBulk) {
    const some = operations.slice(from, from + maxOperationsPerBulk);
    batches.push({ key: `holdfast-bulk-${hash}_${some[0]?.line}_${some.at(-1)?.line}`, operations: some });
  }
  return { kind: 'batches', batches };
}

function headProblem(head: readonly string[]): string | null {
  const known: readonly string[] = columns;
  const unknown = head.filter((name) => !known.includes(name));
  const missing = required.filter((name) => !head.includes(name));
  if (unknown.length === 0 && missing.length === 0 && new Set(head).size === head.length) return null;
  return `the first line must name the columns ${columns.join(', ')} (the last two may be left out)`;
}

function operationProblem(cell: (name: string) => string): string | null {
  const [operation, quantity, location] = [cell('operation'), cell('quantity'), cell('location')];
  if (!['reserve', 'release', 'consume'].includes(operation)) return 'the operation is reserve, release or consume';
  if (!codePattern.test(cell('sku'))) return 'this is not a SKU';
  if (!/^\d{1,10}$/.test(quantity) || Number(quantity) < 1 || Number(quantity) > maxQuantity)
    return `the quantity is a whole number from 1 to ${maxQuantity}`;
  if (location !== '' && !codePattern.test(location)) return 'this is not a location';
  const isRelease = operation === 'release';
  if (
    isRelease !== /^rsv_[A-Za-z0-9-]{1,64}$/.test(cell('reservationId')) ||
    (!isRelease && cell('reservationId') !== '')
  )
    return isRelease ? 'a release needs a reservationId (rsv_...)' : 'only a release has a reservationId';
  return null;
}

/** What became of one operation. */
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

export type Resumed =
  | {
      readonly kind: 'resumed' /** Batches whose results are there, with how many operations failed. */;
      readonly failed: ReadonlyMap<string, number>;
    }
  | { readonly kind: 'foreign' };

/**
 * The results beside a file of operations. A batch is written whole, after the API has answered it; where writing broke
 * off in the middle, what is there of that batch is dropped, and the batch is asked for again under its own key.
 */
export class ResultFile {
  constructor(readonly path: string) {}

  /** Takes up what an earlier run has left. `foreign`: the results of something else lie there; nothing is touched. */
  open(batches: readonly Batch[]): Resumed {
    const rows = existsSync(this.path) ? (parseCsv(completeLines(readFileSync(this.path, 'utf8'))) ?? []) : [];
    const [head, ...lines] = rows;
    if (head !== undefined && head.cells.join() !== resultColumns.join()) return { kind: 'foreign' };
    const keyOf = (cells: readonly string[]) => cells[resultColumns.indexOf('batch')] ?? '';
    const known = new Set(batches.map(({ key }) => key));
    if (lines.some(({ cells }) => !known.has(keyOf(cells)))) return { kind: 'foreign' };

    const failed = new Map<string, number>();
    const byKey = new Map<string, (typeof lines)[number][]>(batches.map(({ key }) => [key, []]));
    for (const row of lines) byKey.get(keyOf(row.cells))?.push(row);
    let text = csvLine(resultColumns);
    for (const { key, operations } of batches) {
      const written = byKey.get(key) ?? [];
      if (written.length !== operations.length) continue;
      text += written.map(({ cells }) => csvLine(cells)).join('');
      failed.set(key, written.filter(({ cells }) => cells[resultColumns.indexOf('success')] !== 'true').length);
    }
    writeFileSync(`${this.path}.new`, text);
    renameSync(`${this.path}.new`, this.path);
    return { kind: 'resumed', failed };
  }

  add(batch: Batch, results: readonly LineResult[]): void {
    const lines = results.map(({ line, operation, success, onHand, reserved, available, code, detail, ...result }) =>
      csvLine([
        line,
        operation.operation,
        operation.sku,
        operation.quantity,
        operation.location ?? null,
        result.reservationId,
        String(success),
        onHand,
        reserved,
        available,
        code,
        detail,
        batch.key,
      ]),
    );
    appendFileSync(this.path, lines.join(''));
  }
}

/** Without the line that a break left unfinished. */
function completeLines(text: string): string {
  return text.slice(0, text.lastIndexOf('\n') + 1);
}
