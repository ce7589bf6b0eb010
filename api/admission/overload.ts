/**
 * Tells overload from a burst. Both make a long queue; but a burst has come once and is served, while in overload as many
 * come as are served, so that the queue stands. Pure: the time comes in as an argument, in ms of any clock.
 */

/** A queue that takes longer is long. */
export const longWaitMs = 1200;
/** For so many seconds, each by itself, the queue must be long and newcomers must make up for those who are served. */
const standingSeconds = 5;
/** Newcomers, as a share of those served, from which on a queue does not empty in a time that anyone waits. */
const refilled = 0.5;
/** Overload is over when for so long nobody had to be refused. */
const calmMs = 5000;

interface Second {
  readonly number: number;
  arrived: number;
  served: number;
  refused: number;
  /** Whether the queue was long each time it was looked at. */
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

  /** How many were refused lately for each that was served. */
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

  /** Looks at the queue; to be called several times a second while there is one. Returns whether newcomers are too many. */
  look(now: number, waitMs: number): boolean {
    if (waitMs <= longWaitMs) this.#at(now).long = false;
    if (this.#refusedAt !== null && now - this.#refusedAt <= calmMs) return true;
    this.#refusedAt = null;
    return this.#stands(now);
  }

  /** Whether it was like that in each of the last whole seconds. */
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
