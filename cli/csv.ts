/** Comma-separated values as RFC 4180 has them: what spreadsheets write and read. */

export interface CsvRow {
  /** Of the file, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/**
 * The rows of a text; lines that hold nothing are left out. A quoted cell may hold commas, line feeds and doubled quotes.
 * Null where a quote is never closed.
 */
export function parseCsv(text: string): readonly CsvRow[] | null {
  const rows: CsvRow[] = [];
  const cell = /"((?:[^"]|"")*)"|([^",\r\n]*)/y;
  let at = text.startsWith('\u{feff}') ? 1 : 0;
  let line = 1;
  while (at < text.length) {
    const cells: string[] = [];
    const first = line;
    for (;;) {
      cell.lastIndex = at;
      const [whole = '', quoted, plain = ''] = cell.exec(text) ?? [];
      line += whole.split('\n').length - 1;
      cells.push(quoted === undefined ? plain.trim() : quoted.replaceAll('""', '"'));
      at += whole.length;
      if (text[at] !== ',') break;
      at++;
    }
    if (text.startsWith('\r\n', at)) at += 2;
    else if (text[at] === '\n') at++;
    else if (at < text.length) return null;
    line++;
    if (cells.some((value) => value !== '')) rows.push({ line: first, cells });
  }
  return rows;
}

/** One line, with its line feed; null is an empty cell. */
export function csvLine(cells: readonly (string | number | null)[]): string {
  const quoted = cells.map((value) => {
    const text = String(value ?? '');
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return `${quoted.join(',')}\n`;
}
