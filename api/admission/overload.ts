/**
 * Distinguishes overload from a burst. Both make a long queue. A burst drains, but in overload new calls come about as fast
 * as they are served, so the queue stays long. Pure: the time is an argument, in ms of any clock.
 */

/** A queue with a longer wait counts as long. */
export const longWaitMs = 1200;
/** It is overload if in each of this many seconds the queue was long and new calls refilled it. */
const standingSeconds = 5;
/** New calls refill the queue if they are at least this share of those served: it then drains too slowly. */
const refilled = 0.5;
/** Overload ends once no call has been refused for this long. */
const calmMs = 5000;

interface Second {
  readonly number: number;
  arrived: number;
  served: number;
  refused: number;
  /** Whether the queue was long at every look. */
  long: boolean;
}

export class Overload {
  #seconds: Second[] = [];
  #refusedAt: number | null = null;

  arrived(now: number): void {
    this.#at(now).arrived++;
  }

  served(now: number): void {
    this.#at(now).served++;
  }

  refused(now: number): void {
    this.#refusedAt = now;
    this.#at(now).refused++;
  }

  /** Recently refused calls for each served one. */
  refusedForEachServed(): number {
    const sum = (of: (second: Second) => number) => this.#seconds.reduce((total, second) => total + of(second), 0);
    return (
      sum(({ refused }) => refused) /
      Math.max(
        1,
        sum(({ served }) => served),
      )
    );
  }

  /** Checks the queue for overload. Call it several times a second while calls are waiting. */
  look(now: number, waitMs: number): boolean {
    if (waitMs <= longWaitMs) this.#at(now).long = false;
    if (this.#refusedAt !== null && now - this.#refusedAt <= calmMs) return true;
    this.#refusedAt = null;
    return this.#stands(now);
  }

  /** Whether the queue stayed long in each of the last whole seconds. */
  #stands(now: number): boolean {
    const current = Math.floor(now / 1000);
    const past = this.#seconds.filter(({ number }) => number < current && number >= current - standingSeconds);
    return (
      past.length === standingSeconds &&
      past.every(({ long, arrived, served }) => long && arrived > 0 && arrived >= refilled * served)
    );
  }

  #at(now: number): Second {
    const number = Math.floor(now / 1000);
    const last = this.#seconds.at(-1);
    if (last?.number === number) return last;
    const second: Second = { number, arrived: 0, served: 0, refused: 0, long: true };
    this.#seconds = [...this.#seconds.slice(-standingSeconds), second];
    return second;
  }
}
