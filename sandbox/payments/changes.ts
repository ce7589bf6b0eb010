/** What changes at an authorization and when, and who listens to it. */
import { report } from '../report.js';

export type ChangeKind =
  | 'authorized'
  | 'declined'
  | 'captured'
  | 'voided'
  | 'refund_created'
  /** Only of a refund that was pending. */
  | 'refund_succeeded'
  | 'refund_failed'
  | 'dispute_opened'
  | 'dispute_changed'
  | 'dispute_closed';

export interface Change {
  readonly authorizationId: string;
  readonly kind: ChangeKind;
  /** Of the authorization, the refund or the dispute that changed. */
  readonly objectId: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export type ChangeListener = (change: Change) => void;

/**
 * Calls its listeners at each change: at once, or when it is due. A listener sees the books as they are after the change.
 * What happens while the process is down is not announced: a listener that must miss nothing asks for the changes since
 * the last one that it handled (Processor.changes).
 */
export class ChangeFeed {
  private readonly listeners = new Set<ChangeListener>();
  private readonly timers = new Set<NodeJS.Timeout>();

  /** @returns ends the listening */
  listen(listener: ChangeListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  announce(changes: readonly Change[]): void {
    for (const change of changes) this.whenDue(change);
  }

  close(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
    this.listeners.clear();
  }

  private whenDue(change: Change): void {
    const waitMs = change.at - Date.now();
    if (waitMs <= 0) {
      this.emit(change);
      return;
    }
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      // Again, because a timer may fire a millisecond early.
      this.whenDue(change);
    }, waitMs);
    timer.unref();
    this.timers.add(timer);
  }

  private emit(change: Change): void {
    for (const listener of this.listeners)
      try {
        listener(change);
      } catch (error) {
        report(`a listener failed at ${change.kind}: ${error instanceof Error ? error.stack : error}`);
      }
  }
}
