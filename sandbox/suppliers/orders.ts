/** The suppliers: handle each call by the script of its SKU. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Journaled } from '../journal.js';
import { Books, type CallView, type Deed } from './books.js';
import { type DeedKind, type Fact, fact, isFault, type Script } from './facts.js';

/** How a call ends without a proper answer. */
type Fault = 'timeout' | 'malformed' | 'error' | 'lost';

export type Reply<T> =
  | { readonly kind: 'answer'; readonly value: T }
  | { readonly kind: Fault }
  | { readonly kind: 'key_reused' }
  | { readonly kind: 'too_late' }
  | { readonly kind: 'unknown' };

export interface DeedView {
  readonly id: string;
  readonly key: string;
  readonly accepted: boolean;
  readonly cancelled: boolean;
  readonly sku: string | null;
  readonly quantity: number | null;
  /** The last status given to a question. */
  readonly lastStatus: string | null;
}

export interface Goods {
  readonly sku: string;
  readonly quantity: number;
}

const prefixes: Readonly<Record<DeedKind, string>> = { reservation: 'sres', order: 'sord' };

export class Suppliers {
  private constructor(private readonly kept: Journaled<Fact, void, Books>) {}

  static async open(home: string): Promise<Suppliers> {
    return new Suppliers(await Journaled.open(join(home, 'suppliers.jsonl'), fact.parse, () => new Books()));
  }

  /** Whether calls can be booked now. */
  get writable(): boolean {
    return this.kept.writable;
  }

  private get books(): Books {
    return this.kept.books;
  }

  /** Sets the script of a SKU, from now on. Calls without an entry succeed. */
  async instruct(sku: string, script: Script): Promise<void> {
    await this.kept.post({ type: 'script', at: Date.now(), sku, script });
  }

  /** Requests a reservation or an order. The same key is the same request and gets the same answer. */
  async ask(kind: DeedKind, key: string, goods: Goods): Promise<Reply<DeedView>> {
    const deed = this.books.deedByKey(kind, key);
    const reused = deed?.sku != null && (deed.sku !== goods.sku || deed.quantity !== goods.quantity);
    if (reused) return { kind: 'key_reused' };
    const script = this.books.scriptOf(goods.sku);
    const scripted = kind === 'reservation' ? script.reserve : script.order;
    const fault = askFault(scripted, deed);
    const makes = !deed?.made && (fault === null || fault === 'lost');
    await this.kept.post({
      type: 'ask',
      at: Date.now(),
      deed: kind,
      key,
      ...goods,
      ...(fault && { fault }),
      ...(makes && { made: { id: newId(kind), accepted: typeof scripted !== 'object' || scripted.accepted } }),
    });
    return fault ? { kind: fault } : this.answer(this.books.deedByKey(kind, key));
  }

  /** Answers a question about the status. Each question takes the next entry of the script. */
  async question(kind: DeedKind, id: string): Promise<Reply<{ deed: DeedView; status: string }>> {
    const deed = this.books.deedById(kind, id);
    if (!deed) return { kind: 'unknown' };
    const script = this.books.scriptOf(deed.sku);
    const entries = kind === 'reservation' ? (script.status ?? ['ok']) : (script.delivery ?? ['delivered']);
    const over = deed.cancelled || deed.made?.accepted === false;
    const scripted = entries[Math.min(deed.questions, entries.length - 1)] ?? 'error';
    const status = over ? (kind === 'reservation' ? 'fail' : 'cancelled') : scripted;
    await this.kept.post({ type: 'question', at: Date.now(), deed: kind, id, told: status });
    if (isFault(status)) return { kind: status };
    return { kind: 'answer', value: { deed: viewOf(deed), status } };
  }

  /** What was made with a key. It is definite: a later call is a new call. */
  async lookUp(kind: DeedKind, key: string): Promise<Reply<DeedView>> {
    await this.kept.post({ type: 'look_up', at: Date.now(), deed: kind, key });
    return this.answer(this.books.deedByKey(kind, key));
  }

  /**
   * Cancels a reservation or an order. If nothing was made with the key yet, a call with it that arrives later makes
   * nothing. A delivered order stays.
   */
  async cancel(kind: DeedKind, named: string): Promise<Reply<DeedView>> {
    const deed = this.books.deedByKey(kind, named) ?? this.books.deedById(kind, named);
    const { cancel = 'ok' } = this.books.scriptOf(deed?.sku ?? null);
    const outcome = cancelOutcome(kind, named, deed, cancel);
    const closes = outcome === 'cancelled' && !deed?.made;
    await this.kept.post({
      type: 'cancel',
      at: Date.now(),
      deed: kind,
      named,
      outcome,
      ...(closes && { made: { id: newId(kind), accepted: false } }),
    });
    if (outcome !== 'cancelled') return { kind: outcome };
    return this.answer(this.books.deedByKey(kind, named) ?? this.books.deedById(kind, named));
  }

  /** The available quantity; by default, the requested one. */
  async availability({ sku, quantity }: Goods): Promise<Reply<{ available: boolean; quantity: number }>> {
    const { availability = { available: true, quantity } } = this.books.scriptOf(sku);
    const outcome = typeof availability === 'string' ? availability : String(availability.quantity);
    await this.kept.post({ type: 'availability', at: Date.now(), sku, quantity, told: outcome });
    return typeof availability === 'string' ? { kind: availability } : { kind: 'answer', value: availability };
  }

  async calls(sku?: string): Promise<readonly CallView[]> {
    const calls = this.books.calls(sku);
    await this.kept.settled();
    return calls;
  }

  close(): Promise<void> {
    return this.kept.close();
  }

  private answer(deed: Deed | undefined): Reply<DeedView> {
    return deed?.made ? { kind: 'answer', value: viewOf(deed) } : { kind: 'unknown' };
  }
}

/**
 * The fault of a request. One that is already made succeeds whatever the script says now, unless its answer is to be
 * lost.
 */
function askFault(scripted: Script['reserve'] | Script['order'], deed: Deed | undefined): Fault | null {
  if (typeof scripted !== 'string' || scripted === 'ok') return null;
  if (scripted === 'lost') return (deed?.lost ?? 0) === 0 ? 'lost' : null;
  return deed?.made ? null : scripted;
}

function cancelOutcome(kind: DeedKind, named: string, deed: Deed | undefined, scripted: NonNullable<Script['cancel']>) {
  if (scripted !== 'ok') return scripted;
  if (kind === 'order' && deed?.lastStatus === 'delivered' && !deed.cancelled) return 'too_late';
  return !deed && named.startsWith(`${prefixes[kind]}_`) ? 'unknown' : 'cancelled';
}

function viewOf({ key, made, cancelled, sku, quantity, lastStatus }: Deed): DeedView {
  if (!made) throw new Error(`nothing was made with ${key}`);
  return { ...made, key, cancelled, sku, quantity, lastStatus };
}

function newId(kind: DeedKind): string {
  return `${prefixes[kind]}_${randomBytes(12).toString('base64url')}`;
}
