/** Comma-separated values as in RFC 4180: what spreadsheets write and read. */

export interface CsvRow {
  /** Line number in the file, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

export type Csv =
  | { readonly kind: 'rows'; readonly rows: readonly CsvRow[] }
  | { readonly kind: 'wrong'; readonly line: number; readonly problem: string };

/** A larger file is refused before it fills memory. */
export interface CsvLimits {
  readonly rows: number;
  readonly cellsPerRow: number;
}

interface Cell {
  readonly value: string;
  /** Index of the first character after the cell. */
  readonly end: number;
}

/**
 * Parses a text in time proportional to its length. Lines end with LF, CR LF or CR; empty lines are skipped. A quoted cell
 * may hold commas, line ends and doubled quotes.
 */
export function parseCsv(text: string, limits: CsvLimits): Csv {
  const rows: CsvRow[] = [];
  let at = text.startsWith('\u{feff}') ? 1 : 0;
  let line = 1;
  while (at < text.length) {
    const cells: string[] = [];
    const first = line;
    for (;;) {
      const cell = text[at] === '"' ? quotedCell(text, at) : plainCell(text, at);
      if (cell === null) return { kind: 'wrong', line, problem: 'a quote is not closed' };
      const next = text[cell.end];
      line += lineEndsIn(cell.value);
      if (next !== undefined && next !== ',' && next !== '\r' && next !== '\n')
        return { kind: 'wrong', line, problem: 'a cell has a quote inside but does not begin and end with one' };
      if (cells.push(cell.value) > limits.cellsPerRow)
        return { kind: 'wrong', line, problem: `more than ${limits.cellsPerRow} cells` };
      at = cell.end;
      if (next !== ',') break;
      at++;
    }
    if (text.startsWith('\r\n', at)) at++;
    at++;
    line++;
    if (cells.some((value) => value !== '') && rows.push({ line: first, cells }) > limits.rows)
      return { kind: 'wrong', line: first, problem: `more than ${limits.rows} lines: split the file` };
  }
  return { kind: 'rows', rows };
}

function plainCell(text: string, from: number): Cell {
  const special = /[",\r\n]/g;
  special.lastIndex = from;
  const end = special.exec(text)?.index ?? text.length;
  return { value: text.slice(from, end).trim(), end };
}

/** Null if the quote at `from` is never closed. */
function quotedCell(text: string, from: number): Cell | null {
  const parts: string[] = [];
  for (let at = from + 1; ; ) {
    const quote = text.indexOf('"', at);
    if (quote === -1) return null;
    parts.push(text.slice(at, quote));
    if (text[quote + 1] !== '"') return { value: parts.join('"'), end: quote + 1 };
    at = quote + 2;
  }
}

function lineEndsIn(value: string): number {
  return value.match(/\r\n|\r|\n/g)?.length ?? 0;
}

/** One line with its line feed. Null is an empty cell. */
export function csvLine(cells: readonly (string | number | null)[]): string {
  const quoted = cells.map((value) => {
    const text = String(value ?? '');
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return `${quoted.join(',')}\n`;
}
