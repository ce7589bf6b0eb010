/** The servers' log files. */
import { readdirSync, renameSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

const keepUpToBytes = 64 * 1024 * 1024;

/** Renames large logs to `.old`, over the previous `.old`. */
export function rotateLogs(folder: string): void {
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    if (name.endsWith('.log') && statSync(file).size > keepUpToBytes) renameSync(file, `${file}.old`);
  }
}

/** A log's current length in bytes; 0 if it does not exist. */
export function logLength(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/**
 * The line that best says why a server ended, shortened: the last one that looks like an error, or the last one of all.
 * Empty if the server wrote nothing.
 * @param from length of the log when the server was started; everything before is from earlier servers
 */
export async function lastWords(file: string, from: number): Promise<string> {
  const handle = await open(file, 'r').catch(() => null);
  if (!handle) return '';
  try {
    const { size } = await handle.stat();
    const length = Math.max(0, Math.min(size - from, 4096));
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    const lines = buffer
      .toString('utf8', 0, bytesRead)
      .split('\n')
      .map((line) => line.trim());
    const telling = lines.filter((line) => line !== '' && !line.startsWith('at '));
    const worst = telling.slice(-12).filter((line) => /FATAL|PANIC|[Ee]rror|cannot|must be|is not set/.test(line));
    return (worst.at(-1) ?? telling.at(-1) ?? '').slice(0, 300);
  } finally {
    await handle.close();
  }
}
