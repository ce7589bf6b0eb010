/**
 * Adapts how many sagas an API process runs at once, so that they stay quick. The limit grows while the median latency is near
 * that of an idle system, and shrinks by a factor once it is far above, much like TCP's congestion window. Pure: it has no
 * clock, and only sees recorded samples.
 */

const initialLimit = 16;
/**
 * A card processor that hangs makes every saga slow, just as overload does. This limit still lets orders through then, at
 * `minLimit / maxHoldMs`.
 */
const minLimit = 8;
const maxLimit = 256;
/** A median below this always counts as quick. */
const quickMs = 400;
/** The limit grows while the median under load is at most this many times that of an idle system. */
const tolerance = 2;
/** The limit shrinks when the median exceeds this many times the tolerated one. */
const tooSlow = 2;
const shrinkBy = 0.9;
/** The fewest samples for one adjustment. */
const minWindow = 16;
/** Weights: of a new sample in the mean, and of a new window in the idle latency if that has risen. */
const meanWeight = 0.05;
const idleWeight = 0.1;
/** A saga that takes this many times the average waits for something else (a bank, a worker), not for this machine. */
const minHoldMs = 2000;
const holdFactor = 4;
/** The system counts as idle while at most this share of the limit, or one saga, is in flight. */
const idleShare = 1 / 8;
/** The latency until something has been measured. */
const assumedMs = 250;

export interface Sample {
  /** How long the saga had its place. */
  readonly ms: number;
  /** Whether it was still undecided when its place was freed. */
  readonly undecided: boolean;
  /** Places in use when it left, including its own. */
  readonly inUse: number;
  /** Whether others waited for its place. */
  readonly awaited: boolean;
}

export class ConcurrencyLimit {
  #value: number;
  #meanMs = assumedMs;
  #decidedMs = assumedMs;
  #idleMs: number | null = null;
  #window: Sample[] = [];

  /** @param fixed the limit set by an operator; null: it adapts */
  constructor(private readonly fixed: number | null) {
    this.#value = fixed ?? initialLimit;
  }

  /** How many sagas may be in flight at once. */
  get value(): number {
    return this.#value;
  }

  /** How long a saga holds its place, on average. */
  get meanMs(): number {
    return this.#meanMs;
  }

  /** How long an undecided saga may hold its place. */
  get maxHoldMs(): number {
    return Math.max(minHoldMs, holdFactor * this.#decidedMs);
  }

  /** Records a saga that has left its place. */
  record(sample: Sample): void {
    this.#meanMs += meanWeight * (sample.ms - this.#meanMs);
    if (!sample.undecided) this.#decidedMs += meanWeight * (sample.ms - this.#decidedMs);
    this.#window.push(sample);
    if (this.#window.length < Math.max(minWindow, this.#value)) return;
    const window = this.#window;
    this.#window = [];
    const saturated = window.filter(({ awaited, inUse }) => awaited || inUse >= this.#value).length * 2 > window.length;
    if (saturated) this.#adapt(medianOf(window));
    const alone = Math.max(1, this.#value * idleShare);
    this.#learnIdle(window.filter(({ undecided, awaited, inUse }) => !undecided && !awaited && inUse <= alone));
  }

  #adapt(medianMs: number): void {
    if (this.fixed !== null) return;
    const toleratedMs = Math.max(quickMs, tolerance * (this.#idleMs ?? 0));
    if (medianMs <= toleratedMs)
      this.#value = Math.min(maxLimit, this.#value + Math.max(1, Math.floor(this.#value / 10)));
    else if (medianMs > tooSlow * toleratedMs) this.#value = Math.max(minLimit, Math.floor(this.#value * shrinkBy));
  }

  /** In an idle system the latency comes from elsewhere, such as a distant server or a slow bank. */
  #learnIdle(decided: readonly Sample[]): void {
    if (decided.length === 0) return;
    const medianMs = medianOf(decided);
    const known = this.#idleMs ?? medianMs;
    this.#idleMs = medianMs < known ? medianMs : known + idleWeight * (medianMs - known);
  }
}

function medianOf(samples: readonly Sample[]): number {
  const sorted = samples.map(({ ms }) => ms).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
