/** The servers' log files. */
import { readdirSync, renameSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

const keepUpToBytes = 64 * 1024 * 1024;

/** Sets logs aside that have become large; the one set aside last time goes. */
export function rotateLogs(folder: string): void {
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    if (name.endsWith('.log') && statSync(file).size > keepUpToBytes) renameSync(file, `${file}.old`);
  }
}

/** How long a log is now; 0 where there is none. */
export function logLength(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/**
 * The line that says best why a server ended, shortened: the last that reads like an error, or the last of all. Empty where
 * it has written nothing.
 * @param from length of the log when the server was started: what stands before is of earlier ones
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
