/** What the stack says to the person who started it, and how its start is getting on. */
import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';

/** How long nothing is said before those who wait hear what is waited for. */
const silentMs = 5000;
const liveMs = 1000;

export interface Output {
  write(text: string): void;
  /** Whether a line can be written over. */
  readonly isTerminal: boolean;
}

/** Standard output. What cannot be written (a full disk, a closed pipe) is lost: it ends nothing. */
export const standardOutput: Output = {
  write: (text) => {
    try {
      // Not by console.log, which is silent for ever after one failed write to a file.
      writeSync(1, text);
    } catch {
      // Lost: there is nowhere to report it.
    }
  },
  isTerminal: isatty(1),
};

/**
 * The start, line by line: each step when it is done, with the seconds since the process began. While steps take long, a
 * terminal shows what is waited for in a line that is written over; elsewhere it is a line every few seconds.
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

  /** A line as it is. */
  line(text: string): void {
    this.clear();
    this.lastSaid = this.seconds();
    this.output.write(`${text}\n`);
  }

  /** A line with the seconds before it. */
  mark(text: string): void {
    this.line(`${elapsed(this.seconds())}  ${text}`);
  }

  /**
   * Says that `name` is `done` once `work` has resolved (nothing where `done` is null), and until then that it is waited
   * for. Passes on what `work` answers or throws.
   */
  async step<T>(name: string, work: Promise<T>, done: string | null = 'ready'): Promise<T> {
    this.pending.add(name);
    try {
      const result = await work;
      if (done !== null) this.mark(`${name}: ${done}`);
      return result;
    } finally {
      this.pending.delete(name);
    }
  }

  /** Nothing is waited for any more. */
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
