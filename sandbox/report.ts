/** Reports to the operator of the sandbox: a line on standard error, lost if it cannot be written. */
import { writeSync } from 'node:fs';

export function report(line: string): void {
  try {
    // Not console.error, which stays silent after one failed write to a file.
    writeSync(2, `${line}\n`);
  } catch {
    // A full disk takes no reports.
  }
}
