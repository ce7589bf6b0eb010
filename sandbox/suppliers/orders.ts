/** The suppliers themselves: what they do with each call, by the script of the SKU that it is about. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Journaled } from '../journal.js';
import { Books, type CallView, type Deed } from './books.js';
import { type DeedKind, type Fact, fact, isFault, type Script } from './facts.js';

/** How a call ends that is not answered as it should be. */
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
  /** What the last question was told. */
  readonly told: string | null;
}

export interface Wanted {
  readonly sku: string;
  readonly quantity: number;
}

const prefixes: Readonly<Record<DeedKind, string>> = { reservation: 'sres', order: 'sord' };

export class SupplierDesk {
  private constructor(private readonly kept: Journaled<Fact, void, Books>) {}

  static async open(home: string): Promise<SupplierDesk> {
    return new SupplierDesk(await Journaled.open(join(home, 'suppliers.jsonl'), fact.parse, () => new Books()));
  }

  /** Whether calls can be booked at the moment. */
  get writable(): boolean {
    return this.kept.writable;
  }

  private get books(): Books {
    return this.kept.books;
  }

  /** From now on the suppliers act on this SKU as the script says; what it leaves out goes well. */
  async instruct(sku: string, script: Script): Promise<void> {
    await this.kept.post({ type: 'script', at: Date.now(), sku, script });
  }

  /** Asks for a reservation or an order. The same key is the same deed and gets the same answer. */
  async ask(kind: DeedKind, key: string, wanted: Wanted): Promise<Reply<DeedView>> {
    const deed = this.books.deedByKey(kind, key);
    const reused = deed?.sku != null && (deed.sku !== wanted.sku || deed.quantity !== wanted.quantity);
    if (reused) return { kind: 'key_reused' };
    const script = this.books.scriptOf(wanted.sku);
    const scripted = kind === 'reservation' ? script.reserve : script.order;
    const fault = askFault(scripted, deed);
    const makes = !deed?.made && (fault === null || fault === 'lost');
    await this.kept.post({
      type: 'ask',
      at: Date.now(),
      deed: kind,
      key,
      ...wanted,
      ...(fault && { fault }),
      ...(makes && { made: { id: newId(kind), accepted: typeof scripted !== 'object' || scripted.accepted } }),
    });
    return fault ? { kind: fault } : this.answer(this.books.deedByKey(kind, key));
  }

  /** What has become of it. Each question takes the next entry of the script. */
  async question(kind: DeedKind, id: string): Promise<Reply<{ deed: DeedView; told: string }>> {
    const deed = this.books.deedById(kind, id);
    if (!deed) return { kind: 'unknown' };
    const script = this.books.scriptOf(deed.sku);
    const entries = kind === 'reservation' ? (script.status ?? ['ok']) : (script.delivery ?? ['delivered']);
    const over = deed.cancelled || deed.made?.accepted === false;
    const scripted = entries[Math.min(deed.questions, entries.length - 1)] ?? 'error';
    const told = over ? (kind === 'reservation' ? 'fail' : 'cancelled') : scripted;
    await this.kept.post({ type: 'question', at: Date.now(), deed: kind, id, told });
    if (isFault(told)) return { kind: told };
    return { kind: 'answer', value: { deed: viewOf(deed), told } };
  }

  /** What was made of a key. Definite: a later call with it is a new call. */
  async lookUp(kind: DeedKind, key: string): Promise<Reply<DeedView>> {
    await this.kept.post({ type: 'look_up', at: Date.now(), deed: kind, key });
    return this.answer(this.books.deedByKey(kind, key));
  }

  /**
   * Gives it back. A key that nothing was made of yet is closed, so that a call that is still on its way makes nothing any
   * more. What was delivered stays.
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

  /** How much there is; by default as much as is wanted. */
  async availability({ sku, quantity }: Wanted): Promise<Reply<{ available: boolean; quantity: number }>> {
    const { availability = { available: true, quantity } } = this.books.scriptOf(sku);
    const told = typeof availability === 'string' ? availability : String(availability.quantity);
    await this.kept.post({ type: 'availability', at: Date.now(), sku, quantity, told });
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

/** A deed that is done is answered whatever the script says now, unless its answers are to be lost. */
function askFault(scripted: Script['reserve'] | Script['order'], deed: Deed | undefined): Fault | null {
  if (typeof scripted !== 'string' || scripted === 'ok') return null;
  if (scripted === 'lost') return (deed?.lost ?? 0) === 0 ? 'lost' : null;
  return deed?.made ? null : scripted;
}

function cancelOutcome(kind: DeedKind, named: string, deed: Deed | undefined, scripted: NonNullable<Script['cancel']>) {
  if (scripted !== 'ok') return scripted;
  if (kind === 'order' && deed?.told === 'delivered' && !deed.cancelled) return 'too_late';
  return !deed && named.startsWith(`${prefixes[kind]}_`) ? 'unknown' : 'cancelled';
}

function viewOf({ key, made, cancelled, sku, quantity, told }: Deed): DeedView {
  if (!made) throw new Error(`nothing was made of ${key}`);
  return { ...made, key, cancelled, sku, quantity, told };
}

function newId(kind: DeedKind): string {
  return `${prefixes[kind]}_${randomBytes(12).toString('base64url')}`;
}
