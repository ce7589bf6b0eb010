/** The log of a process: JSON lines on standard output, which never hold up the process, whatever becomes of the output. */
import { type Logger, type LoggerOptions, pino } from 'pino';
import { Counter, type Registry } from 'prom-client';

/** Lines that wait for room; what comes on top is dropped. */
const maxHeldBytes = 256 * 1024;
const retryMs = 1000;

export interface Log {
  readonly log: Logger;
  /** Adds the count of dropped lines to what Prometheus reads. */
  register(registry: Registry): void;
}

/**
 * A logger that outlives its output. While that cannot be written (a full disk, say) up to 256 KiB of lines are held and
 * the others are dropped and counted. When there is room again the held lines are written, whole, then one that says how
 * many are missing. A line that is logged is handed to the system before the call returns, so that a kill loses none.
 * @param fd where the lines go
 */
export function createLog(options: LoggerOptions, fd = 1): Log {
  // A pipe that is full is no reason to wait either.
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
  // Without pino's own flushSync, which never returns from a full disk.
  const log = pino(options, { write: (line: string) => output.write(line) });

  function retry(): void {
    failed = false;
    // Writes what is held; a failure is heard before this returns.
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
