/** What the sandbox reports to the person who runs it: a line on standard error, lost where that cannot be written. */
import { writeSync } from 'node:fs';

export function report(line: string): void {
  try {
    // Not by console.error, which is silent for ever after one failed write to a file.
    writeSync(2, `${line}\n`);
  } catch {
    // A disk that is full takes no reports.
  }
}
