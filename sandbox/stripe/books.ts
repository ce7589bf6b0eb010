/** The books of the Stripe face. Only `post` changes them, live and during replay. */
import type { Fact, FactOf, IntentTerms } from './facts.js';

/** One use of an idempotency key. */
export interface KeyRecord {
  /** Of path and parameters. */
  readonly request: string;
  readonly execution: string;
  readonly requestId: string;
  readonly at: number;
  /** Null until the call has ended. */
  answer: { readonly status: number; readonly body: Readonly<Record<string, unknown>> } | null;
}

interface Attempt {
  readonly execution: string;
  readonly method: string;
  /** The bank wants to see the cardholder. */
  readonly challenged: boolean;
}

export interface Intent extends IntentTerms {
  readonly createdAt: number;
  readonly attempts: Attempt[];
  cancelled: { readonly at: number; readonly execution: string; readonly reason: string | null } | null;
}

export interface Method {
  readonly id: string;
  readonly token: string;
  readonly createdAt: number;
  customer: string | null;
  /** The intent that has paid with it. Unattached, it pays for no other. */
  usedBy: string | null;
}

export interface StoredEvent extends FactOf<'event'> {
  outcome: FactOf<'sent'>['outcome'] | null;
}

export class StripeBooks {
  readonly keys = new Map<string, KeyRecord>();
  readonly intents = new Map<string, Intent>();
  readonly customers = new Map<string, FactOf<'customer'>>();
  readonly methods = new Map<string, Method>();
  readonly refunds = new Map<string, FactOf<'refund'>>();
  readonly events = new Map<string, StoredEvent>();
  readonly milestones = new Set<string>();
  /** Events that are still to be sent. */
  readonly unsent = new Set<StoredEvent>();
  webhook: { readonly url: string; readonly secret: string } | null = null;
  /** When the face was first used; null if it was not. Until then nobody is interested in events. */
  usedSince: number | null = null;

  post(fact: Fact): void {
    this.usedSince ??= fact.at;
    switch (fact.type) {
      case 'key_begun': {
        const { request, execution, requestId, at } = fact;
        this.keys.set(fact.key, { request, execution, requestId, at, answer: null });
        break;
      }
      case 'key_answered': {
        const record = this.keys.get(fact.key);
        // A key may expire while its call acts.
        if (record?.execution === fact.execution) record.answer = { status: fact.status, body: fact.body };
        break;
      }
      case 'keys_expired':
        if (fact.key === null) this.keys.clear();
        else this.keys.delete(fact.key);
        break;
      case 'intent':
        this.intents.set(fact.intent.id, {
          ...fact.intent,
          metadata: { ...fact.intent.metadata },
          createdAt: fact.at,
          attempts: [],
          cancelled: null,
        });
        break;
      case 'metadata': {
        Object.assign(this.intent(fact.intent).metadata, fact.metadata);
        break;
      }
      case 'attempt':
        this.attempt(fact);
        break;
      case 'cancelled':
        this.intent(fact.intent).cancelled = { at: fact.at, execution: fact.execution, reason: fact.reason };
        break;
      case 'refund':
        this.refunds.set(fact.operation, fact);
        break;
      case 'customer':
        this.customers.set(fact.id, fact);
        break;
      case 'method': {
        const { id, token, at } = fact;
        this.methods.set(id, { id, token, createdAt: at, customer: null, usedBy: null });
        break;
      }
      case 'attached':
        this.method(fact.method).customer = fact.customer;
        break;
      case 'webhook':
        this.webhook = fact.url === null ? null : { url: fact.url, secret: fact.secret };
        break;
      case 'event':
        this.event(fact);
        break;
      case 'sent':
        this.sent(fact);
    }
  }

  private attempt({ intent, method, execution, challenged }: FactOf<'attempt'>): void {
    this.intent(intent).attempts.push({ execution, method, challenged });
    this.method(method).usedBy ??= intent;
  }

  private event(fact: FactOf<'event'>): void {
    if (this.milestones.has(fact.milestone)) throw new Error(`${fact.milestone} has an event already`);
    const event: StoredEvent = { ...fact, outcome: null };
    this.milestones.add(fact.milestone);
    this.events.set(fact.id, event);
    if (fact.send) this.unsent.add(event);
  }

  private sent({ event: id, outcome }: FactOf<'sent'>): void {
    const event = this.events.get(id);
    if (!event) throw new Error(`event ${id} does not exist`);
    event.outcome = outcome;
    this.unsent.delete(event);
  }

  private intent(id: string): Intent {
    const intent = this.intents.get(id);
    if (!intent) throw new Error(`intent ${id} does not exist`);
    return intent;
  }

  private method(id: string): Method {
    const method = this.methods.get(id);
    if (!method) throw new Error(`payment method ${id} does not exist`);
    return method;
  }
}
