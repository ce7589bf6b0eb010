/**
 * The card processor's books: authorizations, captures, refunds, and every call. Only `post` changes them, one fact at
 * a time, both live and during replay, so that both produce the same books.
 */
import type { CallKind, Fact, MoneyRequest, Outcome } from './facts.js';

/** The request and the outcome of one idempotency key. */
export interface Operation {
  readonly key: string;
  readonly request: MoneyRequest;
  /** Scripted faults so far. */
  faults: number;
  /** Null until a call has acted. */
  outcome: Outcome | null;
  /** The calls of the authorization; until there is one, those of this operation. */
  readonly calls: Call[];
}

interface Call {
  readonly operation: Operation;
  readonly atMs: number;
}

export interface Authorization {
  readonly authorizationId: string;
  readonly token: string;
  readonly amount: number;
  readonly currency: string;
  readonly reference: string;
  status: 'authorized' | 'captured' | 'voided' | 'declined';
  captured: number;
  refunded: number;
  readonly calls: Call[];
}

/** An authorization as a client sees it. Amounts in minor units, times RFC 3339. */
export interface AuthorizationView {
  readonly authorizationId: string;
  readonly token: string;
  readonly amount: number;
  readonly currency: string;
  readonly reference: string;
  readonly status: Authorization['status'];
  readonly captured: number;
  readonly refunded: number;
  readonly voided: boolean;
  readonly calls: readonly { kind: CallKind; idempotencyKey: string; at: string }[];
}

export class Books {
  private readonly operations = new Map<string, Operation>();
  private readonly authorizations = new Map<string, Authorization>();
  private readonly byReference = new Map<string, Authorization[]>();

  operation(key: string): Operation | undefined {
    return this.operations.get(key);
  }

  authorization(authorizationId: string): Authorization | undefined {
    return this.authorizations.get(authorizationId);
  }

  /** All authorizations in order of creation, or those of one reference. */
  list(reference?: string): readonly Authorization[] {
    if (reference === undefined) return [...this.authorizations.values()];
    return this.byReference.get(reference) ?? [];
  }

  /** Applies a fact to the books. Throws if it contradicts earlier facts. */
  post(fact: Fact): Operation {
    const operation = this.operations.get(fact.key) ?? this.begin(fact);
    operation.calls.push({ operation, atMs: fact.at });
    if (fact.fault) operation.faults++;
    if (fact.outcome) {
      if (operation.outcome) throw new Error(`operation ${fact.key} is decided twice`);
      operation.outcome = fact.outcome;
      this.settle(operation, fact.outcome);
    }
    return operation;
  }

  private begin(fact: Fact): Operation {
    const { key, request } = fact;
    if (!request) throw new Error(`the first call of operation ${key} has no request`);
    const calls = request.kind === 'authorize' ? [] : this.known(request.authorizationId).calls;
    const operation: Operation = { key, request, faults: 0, outcome: null, calls };
    this.operations.set(key, operation);
    return operation;
  }

  private settle({ request, calls }: Operation, outcome: Outcome): void {
    if (request.kind === 'authorize') {
      if (outcome.kind === 'authorized' || outcome.kind === 'declined')
        this.enter({
          authorizationId: outcome.authorizationId,
          token: request.token,
          amount: request.amount,
          currency: request.currency,
          reference: request.reference,
          status: outcome.kind,
          captured: 0,
          refunded: 0,
          calls,
        });
      return;
    }
    const authorization = this.known(request.authorizationId);
    if (outcome.kind === 'captured') {
      authorization.status = 'captured';
      authorization.captured = authorization.amount;
    }
    if (outcome.kind === 'voided') authorization.status = 'voided';
    if (outcome.kind === 'refunded' && request.kind === 'refund') authorization.refunded += request.amount;
  }

  private enter(authorization: Authorization): void {
    this.authorizations.set(authorization.authorizationId, authorization);
    const siblings = this.byReference.get(authorization.reference);
    if (siblings) siblings.push(authorization);
    else this.byReference.set(authorization.reference, [authorization]);
  }

  private known(authorizationId: string): Authorization {
    const authorization = this.authorizations.get(authorizationId);
    if (!authorization) throw new Error(`authorization ${authorizationId} does not exist`);
    return authorization;
  }
}

export function viewOf(authorization: Authorization): AuthorizationView {
  const { authorizationId, token, amount, currency, reference, status, captured, refunded, calls } = authorization;
  return {
    authorizationId,
    token,
    amount,
    currency,
    reference,
    status,
    captured,
    refunded,
    voided: status === 'voided',
    calls: calls.map(({ operation, atMs }) => ({
      kind: operation.request.kind,
      idempotencyKey: operation.key,
      at: new Date(atMs).toISOString(),
    })),
  };
}
