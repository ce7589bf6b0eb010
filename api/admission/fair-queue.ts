/** A queue that serves its owners in turn, so that an owner with many items does not hold up one with few. */

export interface Queued {
  readonly owner: string;
}

export class FairQueue<T extends Queued> {
  /** By owner, in the order of their turns; an owner with nothing in the queue has no entry. */
  readonly #byOwner = new Map<string, T[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(item: T): void {
    const own = this.#byOwner.get(item.owner);
    if (own) own.push(item);
    else this.#byOwner.set(item.owner, [item]);
    this.#size++;
  }

  /** Takes the oldest or the newest item of the owner whose turn it is. */
  take(which: 'oldest' | 'newest'): T | undefined {
    for (const [owner, own] of this.#byOwner) {
      const item = which === 'oldest' ? own.shift() : own.pop();
      this.#byOwner.delete(owner);
      if (own.length > 0) this.#byOwner.set(owner, own);
      if (item !== undefined) this.#size--;
      return item;
    }
    return undefined;
  }

  /** Whether the item was in the queue; it no longer is. */
  remove(item: T): boolean {
    const own = this.#byOwner.get(item.owner) ?? [];
    const index = own.indexOf(item);
    if (index === -1) return false;
    own.splice(index, 1);
    if (own.length === 0) this.#byOwner.delete(item.owner);
    this.#size--;
    return true;
  }

  /** How many items would be served, oldest first, before a new one of this owner. */
  aheadOf(owner: string): number {
    const own = this.#byOwner.get(owner)?.length ?? 0;
    let ahead = own;
    for (const [name, { length }] of this.#byOwner) if (name !== owner) ahead += Math.min(length, own + 1);
    return ahead;
  }

  items(): T[] {
    return [...this.#byOwner.values()].flat();
  }
}
