/**
 * PaymentIntents, charges, refunds and disputes as Stripe's clients know them, read from two books: what was asked for
 * from the face's own, what became of the money from the processor's. An authorization that was made on another way is
 * a PaymentIntent too.
 */
import type { Authorization, Books } from '../payments/books.js';
import type { Intent, Method, StripeBooks } from './books.js';

export type IntentStatus =
  | 'requires_payment_method'
  | 'requires_confirmation'
  | 'requires_action'
  | 'requires_capture'
  | 'succeeded'
  | 'canceled';

const deeds = ['confirm', 'capture', 'cancel', 'refund'] as const;
export type Deed = (typeof deeds)[number];

/** The key of a money call in the processor's books. */
export function operationKey(execution: string, deed: Deed): string {
  return `stripe/${execution}/${deed}`;
}

/** All keys that an execution may have used. */
export function operationKeys(execution: string): readonly string[] {
  return deeds.map((deed) => operationKey(execution, deed));
}

/** `ch_…` has the same ending as the authorization, which is called `pi_…` if it was made here, else `auth_…`. */
export function chargeIdOf(authorizationId: string): string {
  return authorizationId.replace(/^(pi|auth)_/, 'ch_');
}

export class Payments {
  constructor(
    readonly asked: StripeBooks,
    readonly money: Books,
  ) {}

  intent(id: string): Intent | undefined {
    const own = this.asked.intents.get(id);
    if (own || !id.startsWith('pi_')) return own;
    const elsewhere = this.money.authorization(id.replace(/^pi_/, 'auth_'));
    return elsewhere && isFromElsewhere(elsewhere) ? intentFrom(elsewhere) : undefined;
  }

  /** All, oldest first. */
  intents(): readonly Intent[] {
    const elsewhere = this.money.list().filter(isFromElsewhere).map(intentFrom);
    return [...this.asked.intents.values(), ...elsewhere].sort((one, other) => one.createdAt - other.createdAt);
  }

  method(id: string): Method | undefined {
    const own = this.asked.methods.get(id);
    if (own) return own;
    const elsewhere = this.money.authorization(id.replace(/^pm_/, 'auth_'));
    if (!elsewhere || !isFromElsewhere(elsewhere)) return undefined;
    return {
      id,
      token: elsewhere.token,
      createdAt: createdAt(elsewhere),
      customer: null,
      usedBy: id.replace(/^pm_/, 'pi_'),
    };
  }

  /** The intent to which an authorization belongs, a declined one too. */
  intentOf(authorization: Authorization): Intent | undefined {
    const { authorizationId } = authorization;
    if (isFromElsewhere(authorization)) return intentFrom(authorization);
    const own = this.asked.intents.get(authorizationId);
    if (own) return own;
    const execution = executionOf(authorization);
    return [...this.asked.intents.values()].find(({ attempts }) => attempts.some((it) => it.execution === execution));
  }

  /** The authorization that holds, or held, the money of an intent. */
  authorization(intent: Intent): Authorization | undefined {
    const found = this.money.authorization(intent.id) ?? this.elsewhere(intent);
    return found?.status === 'declined' ? undefined : found;
  }

  /** The last authorization of an intent, a declined one too. */
  lastAuthorization(intent: Intent): Authorization | undefined {
    const decided = intent.attempts.flatMap(({ execution }) => {
      const outcome = this.money.operation(operationKey(execution, 'confirm'))?.outcome;
      return outcome && 'authorizationId' in outcome ? [outcome.authorizationId] : [];
    });
    const last = decided.at(-1);
    return last === undefined ? this.elsewhere(intent) : this.money.authorization(last);
  }

  /** The authorizations of an intent, of a charge, or all. */
  charged(of: {
    readonly payment_intent?: string | undefined;
    readonly charge?: string | undefined;
  }): readonly Authorization[] {
    const { payment_intent: intentId, charge } = of;
    if (intentId === undefined && charge === undefined) return this.money.list();
    const intent = intentId === undefined ? undefined : this.intent(intentId);
    const found = charge === undefined ? intent && this.authorization(intent) : this.authorizationOfCharge(charge);
    return found ? [found] : [];
  }

  authorizationOfCharge(chargeId: string): Authorization | undefined {
    return (
      this.money.authorization(chargeId.replace(/^ch_/, 'pi_')) ??
      this.money.authorization(chargeId.replace(/^ch_/, 'auth_'))
    );
  }

  status(intent: Intent): IntentStatus {
    switch (this.authorization(intent)?.status) {
      case 'authorized':
        return 'requires_capture';
      case 'captured':
        return 'succeeded';
      case 'voided':
        return 'canceled';
    }
    if (intent.cancelled) return 'canceled';
    const attempt = intent.attempts.at(-1);
    if (attempt?.challenged) return 'requires_action';
    if (this.declineCode(intent) !== null) return 'requires_payment_method';
    return attempt || intent.method ? 'requires_confirmation' : 'requires_payment_method';
  }

  /** Why the last attempt was declined; null unless it was. */
  declineCode(intent: Intent): string | null {
    const attempt = intent.attempts.at(-1);
    const last = this.lastAuthorization(intent);
    if (last?.status !== 'declined') return null;
    if (!attempt) return 'generic_decline';
    const outcome = this.money.operation(operationKey(attempt.execution, 'confirm'))?.outcome;
    return outcome?.kind === 'declined' ? outcome.declineCode : null;
  }

  private elsewhere(intent: Intent): Authorization | undefined {
    if (this.asked.intents.has(intent.id)) return undefined;
    return this.money.authorization(intent.id.replace(/^pi_/, 'auth_'));
  }
}

/** In ms since 1970. */
export function createdAt({ changes }: Authorization): number {
  return changes[0]?.at ?? 0;
}

/** Of the confirm that made it; null if no confirm did. */
function executionOf({ calls }: Authorization): string | null {
  // Its first call made it, unless it was made by hand.
  const first = calls[0]?.operation;
  return first?.request.kind === 'authorize' ? (/^stripe\/(\w+)\//.exec(first.key)?.[1] ?? null) : null;
}

/** Whether it was made on the processor's own wire, or by hand. */
export function isFromElsewhere(authorization: Authorization): boolean {
  return executionOf(authorization) === null;
}

function intentFrom(authorization: Authorization): Intent {
  const { authorizationId, amount, currency, reference } = authorization;
  return {
    id: authorizationId.replace(/^auth_/, 'pi_'),
    amount,
    currency,
    captureMethod: 'manual',
    customer: null,
    description: reference,
    metadata: { reference },
    setupFutureUsage: null,
    method: authorizationId.replace(/^auth_/, 'pm_'),
    createdAt: createdAt(authorization),
    attempts: [],
    cancelled: null,
  };
}
