/**
 * The card processor's books: authorizations, captures, refunds, disputes, and every call. Only `post` changes them, one
 * fact at a time, both live and during replay, so that both produce the same books.
 */
import type { Change, ChangeKind } from './changes.js';
import type { Dispute } from './disputes.js';
import type { CallFact, Fact, HandFact, MoneyRequest, Outcome } from './facts.js';
import type { Refund } from './refunds.js';
import { behaviourOf } from './tokens.js';

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
  /** When it expires, because its capture was answered and never settled; null: it does not. */
  lapsesAt: number | null;
  readonly refunds: Refund[];
  readonly disputes: Dispute[];
  readonly calls: Call[];
  /** In the order they were booked. Some may lie in the future. */
  readonly changes: Change[];
}

type DisputeOpened = Omit<Extract<HandFact, { type: 'dispute_opened' }>, 'type'>;

/** A decided operation on its way into the books. */
interface Settlement {
  readonly request: MoneyRequest;
  readonly outcome: Outcome;
  /** Null if it was done by hand. */
  readonly key: string | null;
  readonly at: number;
  readonly calls: Call[];
}

export class Books {
  private readonly operations = new Map<string, Operation>();
  private readonly authorizations = new Map<string, Authorization>();
  private readonly byReference = new Map<string, Authorization[]>();
  private readonly refunds = new Map<string, Refund>();
  private readonly disputes = new Map<string, Dispute>();

  operation(key: string): Operation | undefined {
    return this.operations.get(key);
  }

  authorization(authorizationId: string): Authorization | undefined {
    return this.authorizations.get(authorizationId);
  }

  refund(refundId: string): Refund | undefined {
    return this.refunds.get(refundId);
  }

  dispute(disputeId: string): Dispute | undefined {
    return this.disputes.get(disputeId);
  }

  /** All authorizations in order of creation, or those of one reference. */
  list(reference?: string): readonly Authorization[] {
    if (reference === undefined) return [...this.authorizations.values()];
    return this.byReference.get(reference) ?? [];
  }

  /** Applies a fact to the books. Throws if it contradicts earlier facts. Returns what it changes, now or later. */
  post(fact: Fact): readonly Change[] {
    if (!('type' in fact)) return this.call(fact);
    switch (fact.type) {
      case 'by_hand':
        return this.settle({ ...fact, key: null, calls: [] });
      case 'dispute_opened':
        return this.open(fact);
      case 'dispute_changed':
        return this.change(fact);
      case 'dispute_closed':
        return this.close(fact);
    }
  }

  private call(fact: CallFact): readonly Change[] {
    const operation = this.operations.get(fact.key) ?? this.begin(fact);
    operation.calls.push({ operation, atMs: fact.at });
    if (fact.fault) operation.faults++;
    const { outcome } = fact;
    if (!outcome) return [];
    if (operation.outcome) throw new Error(`operation ${fact.key} is decided twice`);
    operation.outcome = outcome;
    return this.settle({ ...operation, outcome, at: fact.decidedAt ?? fact.at });
  }

  private begin(fact: CallFact): Operation {
    const { key, request } = fact;
    if (!request) throw new Error(`the first call of operation ${key} has no request`);
    const calls = request.kind === 'authorize' ? [] : this.known(request.authorizationId).calls;
    const operation: Operation = { key, request, faults: 0, outcome: null, calls };
    this.operations.set(key, operation);
    return operation;
  }

  private settle(settlement: Settlement): readonly Change[] {
    const { request, outcome, at } = settlement;
    if (outcome.kind === 'authorized' || outcome.kind === 'declined') {
      if (request.kind !== 'authorize') return [];
      const { kind, ...card } = request;
      const { authorizationId } = outcome;
      const { calls } = settlement;
      const behaviour = behaviourOf(card.token);
      const entered: Authorization = {
        authorizationId,
        ...card,
        ...(behaviour.kind === 'converted' && { currency: behaviour.currency }),
        status: outcome.kind,
        captured: 0,
        lapsesAt: null,
        refunds: [],
        disputes: [],
        calls,
        changes: [],
      };
      this.enter(entered);
      return note(entered, outcome.kind, authorizationId, at);
    }
    if (request.kind === 'authorize') return [];
    const authorization = this.known(request.authorizationId);
    switch (outcome.kind) {
      case 'captured':
        return request.kind === 'capture' ? this.capture(authorization, request.amount, outcome, at) : [];
      case 'voided':
        if (authorization.status === 'voided') return [];
        authorization.status = 'voided';
        return note(authorization, 'voided', authorization.authorizationId, at);
      case 'refunded':
        return request.kind === 'refund' ? this.giveBack(authorization, request.amount, outcome, settlement) : [];
      case 'refused':
        return [];
    }
  }

  private capture(
    authorization: Authorization,
    amount: number,
    { dispute, settled, lapsesAt }: Extract<Outcome, { kind: 'captured' }>,
    at: number,
  ): readonly Change[] {
    const { authorizationId } = authorization;
    if (lapsesAt !== undefined) {
      authorization.lapsesAt = lapsesAt;
      return note(authorization, 'voided', authorizationId, lapsesAt);
    }
    authorization.status = 'captured';
    authorization.captured = settled ?? amount;
    const captured = note(authorization, 'captured', authorizationId, at);
    if (!dispute) return captured;
    const opened = { authorizationId, ...dispute, amount, reason: 'fraudulent', refundable: dispute.inquiry, at };
    return [...captured, ...this.open(opened)];
  }

  private giveBack(
    authorization: Authorization,
    amount: number,
    outcome: Extract<Outcome, { kind: 'refunded' }>,
    { key, at }: Settlement,
  ): readonly Change[] {
    const { authorizationId } = authorization;
    const { refundId, succeedsAt = at, failsAt = null } = outcome;
    const refund = { refundId, authorizationId, amount, idempotencyKey: key, at, succeedsAt, failsAt };
    authorization.refunds.push(refund);
    this.refunds.set(refundId, refund);
    return [
      ...note(authorization, 'refund_created', refundId, at),
      ...(succeedsAt > at ? note(authorization, 'refund_succeeded', refundId, succeedsAt) : []),
      ...(failsAt !== null ? note(authorization, 'refund_failed', refundId, failsAt) : []),
    ];
  }

  private open({ at, inquiry, ...opened }: DisputeOpened): readonly Change[] {
    const authorization = this.known(opened.authorizationId);
    const { disputeId, authorizationId, amount, reason, refundable } = opened;
    const status = inquiry ? 'inquiry' : 'open';
    const dispute: Dispute = {
      disputeId,
      authorizationId,
      amount,
      reason,
      status,
      refundable,
      openedAt: at,
      closedAt: null,
    };
    authorization.disputes.push(dispute);
    this.disputes.set(disputeId, dispute);
    return note(authorization, 'dispute_opened', disputeId, at);
  }

  private change({ disputeId, amount, at }: Extract<HandFact, { type: 'dispute_changed' }>): readonly Change[] {
    const dispute = this.disputes.get(disputeId);
    if (!dispute) throw new Error(`dispute ${disputeId} does not exist`);
    dispute.amount = amount;
    return note(this.known(dispute.authorizationId), 'dispute_changed', disputeId, at);
  }

  private close({ disputeId, status, at }: Extract<HandFact, { type: 'dispute_closed' }>): readonly Change[] {
    const dispute = this.disputes.get(disputeId);
    if (!dispute) throw new Error(`dispute ${disputeId} does not exist`);
    dispute.status = status;
    dispute.closedAt = at;
    return note(this.known(dispute.authorizationId), 'dispute_closed', disputeId, at);
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

function note(authorization: Authorization, kind: ChangeKind, objectId: string, at: number): readonly Change[] {
  const change = { authorizationId: authorization.authorizationId, kind, objectId, at };
  authorization.changes.push(change);
  return [change];
}
