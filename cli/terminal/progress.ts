/** A bar that grows on a terminal, and is not there where nobody looks. */
import type { Terminal } from './session.js';

const width = 30;

/** Returns what is to be called with how much is done. When all is done the line is left clean. */
export function progressBar(terminal: Terminal, total: number, what: string): (done: number) => void {
  if (!terminal.interactive) return () => undefined;
  return (done) => {
    const filled = Math.round((done / total) * width);
    const bar = '#'.repeat(filled).padEnd(width, '.');
    terminal.err(done < total ? `\r[${bar}] ${done}/${total} ${what}` : '\r\u{1b}[K');
  };
}
