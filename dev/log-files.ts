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

/** The last line that says something, shortened; empty where there is none. */
export async function lastWords(file: string): Promise<string> {
  const handle = await open(file, 'r').catch(() => null);
  if (!handle) return '';
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, 4096);
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    const lines = buffer
      .toString('utf8')
      .split('\n')
      .map((line) => line.trim());
    const telling = lines.filter((line) => line !== '' && !line.startsWith('at '));
    const worst = telling.slice(-12).filter((line) => /FATAL|PANIC|[Ee]rror|cannot|must be|is not set/.test(line));
    return (worst.at(-1) ?? telling.at(-1) ?? '').slice(0, 300);
  } finally {
    await handle.close();
  }
}
