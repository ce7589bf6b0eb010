/** The log of a process: JSON lines on standard output. Logging never blocks, even if the output cannot be written. */
import { type Logger, type LoggerOptions, pino } from 'pino';
import { Counter, type Registry } from 'prom-client';

/** How much is held while the output cannot be written; further lines are dropped. */
const maxHeldBytes = 256 * 1024;
const retryMs = 1000;

export interface Log {
  readonly log: Logger;
  /** Adds the count of dropped lines to the metrics. */
  register(registry: Registry): void;
}

/**
 * A logger that survives an output that cannot be written, such as a full disk. It holds up to 256 KiB of lines, and drops
 * and counts the rest. Once there is room again it writes the held lines, complete, and then how many are missing.
 * Otherwise each line is handed to the operating system before the call returns, so that a kill loses none.
 * @param fd where the lines go
 */
export function createLog(options: LoggerOptions, fd = 1): Log {
  // A full pipe must not block either.
  const output = pino.destination({ dest: fd, sync: true, maxLength: maxHeldBytes, retryEAGAIN: () => false });
  let dropped = 0;
  let unreported = 0;
  let failed = false;
  let retrying: NodeJS.Timeout | null = null;
  output.on('drop', () => {
    dropped++;
    unreported++;
  });
  output.on('error', () => {
    failed = true;
    retrying ??= setInterval(retry, retryMs).unref();
  });
  // Bypasses pino's flushSync, which never returns while the disk is full.
  const log = pino(options, { write: (line: string) => output.write(line) });

  function retry(): void {
    failed = false;
    // Writes the held lines; the error event fires before this returns.
    output.write('');
    if (failed) return;
    clearInterval(retrying ?? undefined);
    retrying = null;
    const missing = unreported;
    unreported = 0;
    log.warn({ droppedLines: missing }, 'the log could not be written for a while');
  }

  return {
    log,
    register: (registry) => {
      new Counter({
        name: 'holdfast_log_lines_dropped_total',
        help: 'Log lines that were dropped because the log could not be written.',
        registers: [registry],
        collect() {
          this.reset();
          this.inc(dropped);
        },
      });
    },
  };
}
