/**
 * The suppliers' books: scripts, reservations, orders, and every call. Only `post` changes them, one fact at a time, both
 * live and during replay, so that both produce the same books.
 */
import { type DeedKind, type Fact, isFault, type Script } from './facts.js';

/** A reservation or an order, from the first call with its key. */
export interface Deed {
  readonly kind: DeedKind;
  readonly key: string;
  /** Null if the key was cancelled before anything was requested with it. */
  readonly sku: string | null;
  readonly quantity: number | null;
  /** Null until a call has acted. */
  made: { readonly id: string; readonly accepted: boolean } | null;
  cancelled: boolean;
  /** Lost answers so far. */
  lost: number;
  /** Questions since the script of its SKU was set. */
  questions: number;
  /** The last status given to a question. */
  lastStatus: string | null;
}

/** A call as a client sees it. Times RFC 3339. */
export interface CallView {
  readonly kind: string;
  readonly sku: string | null;
  readonly quantity: number | null;
  readonly idempotencyKey: string | null;
  /** The supplier's own id of the reservation or order. */
  readonly ref: string | null;
  readonly outcome: string;
  readonly at: string;
}

const callKinds = {
  reservation: { ask: 'reserve', question: 'reserve_status', look_up: 'reserve_look_up', cancel: 'reserve_cancel' },
  order: { ask: 'order', question: 'order_status', look_up: 'order_look_up', cancel: 'order_cancel' },
} as const;

export class Books {
  private readonly scripts = new Map<string, Script>();
  private readonly byKey = { reservation: new Map<string, Deed>(), order: new Map<string, Deed>() };
  private readonly byId = { reservation: new Map<string, Deed>(), order: new Map<string, Deed>() };
  private readonly callLog: CallView[] = [];

  scriptOf(sku: string | null): Script {
    return (sku === null ? undefined : this.scripts.get(sku)) ?? {};
  }

  deedByKey(kind: DeedKind, key: string): Deed | undefined {
    return this.byKey[kind].get(key);
  }

  deedById(kind: DeedKind, id: string): Deed | undefined {
    return this.byId[kind].get(id);
  }

  /** All calls in order of arrival, or those about one SKU. */
  calls(sku?: string): readonly CallView[] {
    return sku === undefined ? [...this.callLog] : this.callLog.filter((call) => call.sku === sku);
  }

  /** Applies a fact to the books. Throws if it contradicts earlier facts. */
  post(fact: Fact): void {
    switch (fact.type) {
      case 'script':
        this.scripts.set(fact.sku, fact.script);
        for (const deeds of Object.values(this.byKey))
          for (const deed of deeds.values()) if (deed.sku === fact.sku) deed.questions = 0;
        break;
      case 'ask':
        this.postAsk(fact);
        break;
      case 'question': {
        const deed = this.deedById(fact.deed, fact.id);
        if (!deed) throw new Error(`${fact.deed} ${fact.id} does not exist`);
        deed.questions++;
        if (!isFault(fact.told)) deed.lastStatus = fact.told;
        this.note(fact, deed, fact.told);
        break;
      }
      case 'look_up': {
        const deed = this.deedByKey(fact.deed, fact.key);
        this.note(fact, deed, deed?.made ? 'found' : 'unknown');
        break;
      }
      case 'cancel':
        this.postCancel(fact);
        break;
      case 'availability':
        this.callLog.push({
          kind: 'availability',
          sku: fact.sku,
          quantity: fact.quantity,
          idempotencyKey: null,
          ref: null,
          outcome: fact.told,
          at: new Date(fact.at).toISOString(),
        });
    }
  }

  private postAsk(fact: Extract<Fact, { type: 'ask' }>): void {
    const deed = this.deedByKey(fact.deed, fact.key) ?? this.begin(fact.deed, fact.key, fact.sku, fact.quantity);
    if (fact.made) this.make(deed, fact.made);
    if (fact.fault === 'lost') deed.lost++;
    this.note(fact, deed, fact.fault ?? (deed.made?.accepted === false ? 'refused' : 'accepted'));
  }

  private postCancel(fact: Extract<Fact, { type: 'cancel' }>): void {
    const deed =
      this.deedByKey(fact.deed, fact.named) ??
      this.deedById(fact.deed, fact.named) ??
      (fact.made && this.begin(fact.deed, fact.named, null, null));
    if (deed && fact.made) this.make(deed, fact.made);
    if (deed && fact.outcome === 'cancelled') deed.cancelled = true;
    this.note(fact, deed, fact.outcome);
  }

  private begin(kind: DeedKind, key: string, sku: string | null, quantity: number | null): Deed {
    const deed: Deed = {
      kind,
      key,
      sku,
      quantity,
      made: null,
      cancelled: false,
      lost: 0,
      questions: 0,
      lastStatus: null,
    };
    this.byKey[kind].set(key, deed);
    return deed;
  }

  private make(deed: Deed, made: NonNullable<Deed['made']>): void {
    if (deed.made) throw new Error(`${deed.kind} ${deed.key} is made twice`);
    deed.made = made;
    this.byId[deed.kind].set(made.id, deed);
  }

  private note(
    fact: Extract<Fact, { type: 'ask' | 'question' | 'look_up' | 'cancel' }>,
    deed: Deed | undefined,
    outcome: string,
  ): void {
    this.callLog.push({
      kind: callKinds[fact.deed][fact.type],
      sku: deed?.sku ?? null,
      quantity: deed?.quantity ?? null,
      idempotencyKey: deed?.key ?? ('key' in fact ? fact.key : null),
      ref: deed?.made?.id ?? null,
      outcome,
      at: new Date(fact.at).toISOString(),
    });
  }
}
