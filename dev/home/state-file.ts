/**
 * A file that describes the running stack: its addresses, its processes. A full disk must not stop the stack, so a failed
 * write is retried with the content current by then, until it succeeds.
 */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { messageOf } from '../start-error.js';

const retryMs = 500;

export class StateFile {
  private retrying: NodeJS.Timeout | null = null;

  /**
   * @param content returns the file's current content; called for each write
   * @param say a line for people
   */
  constructor(
    private readonly path: string,
    private readonly content: () => string,
    private readonly say: (line: string) => void,
  ) {}

  /** Writes the file now, or as soon as that is possible. Readers see the old file or the new one. Never throws. */
  update(): void {
    try {
      writeFileSync(`${this.path}.new`, this.content(), { mode: 0o600 });
      renameSync(`${this.path}.new`, this.path);
      if (this.retrying) this.say(`${basename(this.path)} is written again`);
      this.stopRetrying();
    } catch (error) {
      if (!this.retrying)
        this.say(`${this.path} cannot be written and may be out of date: ${messageOf(error)}; trying again`);
      this.retrying ??= setInterval(() => this.update(), retryMs).unref();
    }
  }

  /** Removes the file and stops retrying. Never throws. */
  remove(): void {
    this.stopRetrying();
    for (const path of [this.path, `${this.path}.new`]) {
      try {
        rmSync(path, { force: true });
      } catch (error) {
        this.say(`${path} cannot be removed: ${messageOf(error)}`);
      }
    }
  }

  /** Stops retrying, so the file stays as it is. */
  stopRetrying(): void {
    clearInterval(this.retrying ?? undefined);
    this.retrying = null;
  }
}
