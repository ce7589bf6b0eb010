/** What a command shows while it waits: a progress bar if a person watches the terminal, and lines for logs. */
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

/** How often a state that does not change is said again. */
const repeatEveryMs = 10_000;

/**
 * Returns a function that says what the command waits for: at once when the state changes, and again every ten seconds.
 * @param expected the first state, which is said only once it has lasted ten seconds
 */
export function statusLines(
  tell: (line: string) => void,
  expected: string,
  now: () => number = () => performance.now(),
): (state: string, line: string) => void {
  let last = expected;
  let saidAt = now();
  return (state, line) => {
    if (state === last && now() - saidAt < repeatEveryMs) return;
    last = state;
    saidAt = now();
    tell(line);
  };
}
