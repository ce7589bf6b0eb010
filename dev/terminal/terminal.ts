/** The stack's output to the person who started it: lines, and the progress of the start. */
import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';

/** How long to stay silent before saying what the start is waiting for. */
const silentMs = 5000;
const liveMs = 1000;

export interface Output {
  write(text: string): void;
  /** Whether a line can be overwritten. */
  readonly isTerminal: boolean;
}

/** Standard output. A failed write (a full disk, a closed pipe) is ignored. */
export const standardOutput: Output = {
  write: (text) => {
    try {
      // Not console.log, which stays silent forever after one failed write to a file.
      writeSync(1, text);
    } catch {
      // Lost: there is nowhere to report it.
    }
  },
  isTerminal: isatty(1),
};

/**
 * Reports the start line by line: each step when it is done, with the seconds since the process began. While steps take
 * long, a terminal shows them in one line that it overwrites; other outputs get a line every few seconds.
 */
export class Progress {
  private readonly pending = new Set<string>();
  private lastSaid: number;
  private live = '';
  private readonly timer: NodeJS.Timeout;

  /** @param seconds since the process began */
  constructor(
    private readonly output: Output,
    private readonly seconds: () => number = () => process.uptime(),
  ) {
    this.lastSaid = seconds();
    this.timer = setInterval(() => this.tick(), liveMs).unref();
  }

  /** Writes a line as it is. */
  line(text: string): void {
    this.clear();
    this.lastSaid = this.seconds();
    this.output.write(`${text}\n`);
  }

  /** Writes a line with the seconds before it. */
  mark(text: string): void {
    this.line(`${elapsed(this.seconds())}  ${text}`);
  }

  /**
   * Reports that the start waits for `name` until `work` resolves, and then that it is `done`, or what `done` says of its
   * result (nothing if `done` is null). Returns what `work` returns and throws what it throws.
   */
  async step<T>(name: string, work: Promise<T>, done: string | null | ((result: T) => string) = 'ready'): Promise<T> {
    this.pending.add(name);
    try {
      const result = await work;
      if (done !== null) this.mark(`${name}: ${typeof done === 'string' ? done : done(result)}`);
      return result;
    } finally {
      this.pending.delete(name);
    }
  }

  /** Stops reporting. */
  end(): void {
    clearInterval(this.timer);
    this.clear();
  }

  private tick(): void {
    if (this.pending.size === 0) return;
    const waiting = `${elapsed(this.seconds())}  waiting for ${[...this.pending].join(', ')}`;
    if (this.output.isTerminal) {
      this.clear();
      this.live = waiting;
      this.output.write(waiting);
    } else if ((this.seconds() - this.lastSaid) * 1000 >= silentMs) this.line(waiting);
  }

  private clear(): void {
    if (this.live !== '') this.output.write('\r\x1b[K');
    this.live = '';
  }
}

function elapsed(seconds: number): string {
  return `${seconds.toFixed(1).padStart(6)} s`;
}
