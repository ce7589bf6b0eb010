/**
 * How many sagas an API process starts at once: as many as are decided while they are still quick. Additive increase,
 * multiplicative decrease, as TCP does it: the limit grows while the median is near the latency of an idle system, and
 * shrinks once it is far above. Pure: it knows no clock, only what it is given.
 */

const initialLimit = 16;
/**
 * A processor that hangs makes every saga slow, as an overloaded machine does. With this limit orders are still taken then,
 * at `minLimit / maxHoldMs`.
 */
const minLimit = 8;
const maxLimit = 256;
/** A median below this is quick on any machine. */
const quickMs = 400;
/** The median of sagas that run side by side may be this many times that of an idle system before the limit stops growing. */
const tolerance = 2;
/** Above this many times the tolerated median the limit shrinks. */
const tooSlow = 2;
const shrinkBy = 0.9;
/** Samples of one decision. */
const minWindow = 16;
/** Weight of a new sample in the mean, and of a new window in the idle latency where it has risen. */
const meanWeight = 0.05;
const idleWeight = 0.1;
/** A saga that takes this many times as long as others waits for someone else (a bank, a worker), not for this machine. */
const minHoldMs = 2000;
const holdFactor = 4;
/** With no more under way than this part of the limit, or one, a saga is as quick as it can be. */
const idleShare = 1 / 8;
/** Before anything was measured. */
const assumedMs = 250;

export interface Sample {
  /** How long the saga had its place. */
  readonly ms: number;
  /** Whether it was still undecided when its place was taken away. */
  readonly undecided: boolean;
  /** Places that were taken, its own included, when it left. */
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

  /** @param fixed the limit that an operator has set; null: it adapts */
  constructor(private readonly fixed: number | null) {
    this.#value = fixed ?? initialLimit;
  }

  /** Sagas that may be under way at once. */
  get value(): number {
    return this.#value;
  }

  /** How long a saga has its place, on average. */
  get meanMs(): number {
    return this.#meanMs;
  }

  /** How long a saga that stays undecided keeps its place. */
  get maxHoldMs(): number {
    return Math.max(minHoldMs, holdFactor * this.#decidedMs);
  }

  /** Takes note of a saga that has left its place. */
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

  /** While hardly anything is under way, what a saga takes is not our doing: a distant server, a slow bank. */
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
