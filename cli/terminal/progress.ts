/** A progress bar, drawn only if a person watches the terminal. */
import type { Terminal } from './session.js';

const width = 30;

/** Returns a function that draws how much is done. When all is done, it clears the line. */
export function progressBar(terminal: Terminal, total: number, what: string): (done: number) => void {
  if (!terminal.interactive) return () => undefined;
  return (done) => {
    const filled = Math.round((done / total) * width);
    const bar = '#'.repeat(filled).padEnd(width, '.');
    terminal.err(done < total ? `\r[${bar}] ${done}/${total} ${what}` : '\r\u{1b}[K');
  };
}
