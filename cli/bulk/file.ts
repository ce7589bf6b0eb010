/** Reads the operations of a bulk from a CSV file. */
import { createHash } from 'node:crypto';
import { maxOperationsPerBulk, maxQuantity } from '../../domain/limits.js';
import { codePattern } from '../../domain/stock.js';
import { parseCsv } from './csv.js';
import { decode } from './source.js';

/** In the form the API takes. */
export interface Operation {
  readonly operation: string;
  readonly sku: string;
  readonly quantity: number;
  readonly location?: string;
  readonly reservationId?: string;
}

interface NumberedOperation {
  /** Line number in the file, from 1. */
  readonly line: number;
  readonly operation: Operation;
}

/** The operations of one call to the API. */
export interface Batch {
  /**
   * Idempotency key, made from the file's content, the run and the lines: the same batch of the same file is the same call,
   * however often it is sent. Underscores separate the parts, because digits with dashes or spaces between them can look
   * like a card number, which the API refuses.
   */
  readonly key: string;
  readonly operations: readonly NumberedOperation[];
}

export type BulkFile =
  | { readonly kind: 'batches'; readonly batches: readonly Batch[] }
  | { readonly kind: 'wrong'; readonly problems: readonly string[] };

const columns = ['operation', 'sku', 'quantity', 'location', 'reservationId'] as const;
const required: readonly string[] = ['operation', 'sku', 'quantity'];

/** In one file. */
const maxOperations = 1_000_000;

/** The run if `--run` does not name one. */
export const defaultRun = 'default';

/**
 * Reads operations and splits them into batches: all of them, or none. `wrong` lists every line that the API would refuse.
 * @param run distinguishes runs that apply the same content again on purpose
 */
export function readBulkFile(content: Buffer, run: string): BulkFile {
  const decoded = decode(content);
  if (decoded.kind === 'wrong') return { kind: 'wrong', problems: [decoded.problem] };
  const csv = parseCsv(decoded.text, { rows: maxOperations + 1, cellsPerRow: 100 });
  if (csv.kind === 'wrong') return { kind: 'wrong', problems: [`line ${csv.line}: ${csv.problem}`] };
  const [head, ...lines] = csv.rows;
  const wrongHead = headProblem(head?.cells ?? []);
  if (wrongHead) return { kind: 'wrong', problems: [wrongHead] };
  if (lines.length === 0)
    return { kind: 'wrong', problems: ['the file has no operations, only the line that names the columns'] };

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

  const hash = createHash('sha256')
    .update(content)
    .update(`\0${run === defaultRun ? '' : run}`)
    .digest('hex');
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
  const seen = new Set<string>();
  const twice = head.filter((name) => seen.has(name) || !seen.add(name));
  const why =
    head.length === 1 && /[;\t]/.test(head[0] ?? '')
      ? 'its cells are separated by semicolons or tabs: save it with commas'
      : unknown.length > 0
        ? `it has ${quoted(unknown)}`
        : missing.length > 0
          ? `it lacks ${quoted(missing)}`
          : twice.length > 0
            ? `it has ${quoted(twice)} twice`
            : null;
  if (why === null) return null;
  return `the first line must name the columns ${columns.join(', ')} (the last two may be left out); ${why}`;
}

/** The first few names, shortened to fit a line. */
function quoted(names: readonly string[]): string {
  const shown = names.slice(0, 5).map((name) => `"${name.length > 40 ? `${name.slice(0, 40)}...` : name}"`);
  return `${shown.join(', ')}${names.length > 5 ? ' and more' : ''}`;
}

function operationProblem(cell: (name: string) => string): string | null {
  const [operation, quantity, location] = [cell('operation'), cell('quantity'), cell('location')];
  if (!['reserve', 'release', 'consume'].includes(operation))
    return 'the operation must be reserve, release or consume';
  if (!codePattern.test(cell('sku'))) return 'the sku must be 1 to 64 letters, digits, dots, dashes or underscores';
  if (!/^\d{1,10}$/.test(quantity) || Number(quantity) < 1 || Number(quantity) > maxQuantity)
    return `the quantity must be a whole number from 1 to ${maxQuantity}`;
  if (location !== '' && !codePattern.test(location))
    return 'the location must be 1 to 64 letters, digits, dots, dashes or underscores';
  const isRelease = operation === 'release';
  if (
    isRelease !== /^rsv_[A-Za-z0-9-]{1,64}$/.test(cell('reservationId')) ||
    (!isRelease && cell('reservationId') !== '')
  )
    return isRelease ? 'a release needs a reservationId (rsv_...)' : 'only a release takes a reservationId';
  return null;
}
