/**
 * Stripe's events. Each change of the books has its events exactly once: they are entered when the change is seen, and
 * those of changes that nobody saw (the process died) when the sandbox starts again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Authorization } from '../payments/books.js';
import type { Change } from '../payments/changes.js';
import { report } from '../report.js';
import type { Intent } from './books.js';
import type { FactOf } from './facts.js';
import { type Ledger, newId } from './ledger.js';
import { chargeIdOf, createdAt, isFromElsewhere } from './payments.js';
import { chargeView, disputeView, intentView, type Json, refundView } from './views.js';

const retryMs = 250;

interface Said {
  readonly name: string;
  readonly objectId: string;
  readonly object: () => Json;
}

export class Events {
  /** Intents and authorizations with news. */
  private readonly news = new Set<string>();
  private publishing: Promise<void> | null = null;

  /** @param entered called with each new event */
  constructor(
    private readonly ledger: Ledger,
    private readonly entered: (id: string) => void,
  ) {}

  /** Catches up with everything that changed since the face was first used. */
  start(): void {
    const { asked, processor } = this.ledger;
    for (const id of asked.intents.keys()) this.news.add(id);
    const since = asked.usedSince ?? Number.POSITIVE_INFINITY;
    for (const authorization of processor.books.list())
      if (!isFromElsewhere(authorization) || createdAt(authorization) >= since)
        this.news.add(authorization.authorizationId);
    this.wake();
  }

  /** @param id of an intent or an authorization */
  changed(id: string): void {
    if (this.ledger.asked.usedSince === null) return;
    this.news.add(id);
    this.wake();
  }

  async stop(): Promise<void> {
    await this.publishing;
  }

  private wake(): void {
    this.publishing ??= this.publish().finally(() => {
      this.publishing = null;
      if (this.news.size > 0 && !this.ledger.stopping.aborted) this.wake();
    });
  }

  private async publish(): Promise<void> {
    for (const id of this.news) {
      this.news.delete(id);
      try {
        await this.enter(id);
      } catch (error) {
        if (this.ledger.stopping.aborted) return;
        report(`the events of ${id} are late: ${error instanceof Error ? error.message : error}`);
        this.news.add(id);
        await sleep(retryMs);
      }
    }
  }

  private async enter(id: string): Promise<void> {
    const { payments, asked } = this.ledger;
    const intent = payments.intent(id);
    const authorization = payments.money.authorization(id);
    const owner = intent ?? (authorization && payments.intentOf(authorization));
    if (!owner) return;
    const said = [...this.ofIntent(owner), ...(authorization ? this.ofAuthorization(owner, authorization) : [])];
    for (const { name, objectId, object } of said) {
      const milestone = `${name} ${objectId}`;
      if (asked.milestones.has(milestone)) continue;
      const fact: FactOf<'event'> = {
        type: 'event',
        at: Date.now(),
        id: `evt_${newId()}`,
        name,
        milestone,
        object: object(),
        send: asked.webhook !== null,
      };
      await this.ledger.post(fact);
      this.entered(fact.id);
    }
  }

  private ofIntent(intent: Intent): readonly Said[] {
    const { payments } = this.ledger;
    const say = (name: string): Said => ({
      name: `payment_intent.${name}`,
      objectId: intent.id,
      object: () => intentView(payments, payments.intent(intent.id) ?? intent),
    });
    return [
      say('created'),
      ...(intent.attempts.some(({ challenged }) => challenged) ? [say('requires_action')] : []),
      ...(intent.cancelled && !payments.authorization(intent) ? [say('canceled')] : []),
    ];
  }

  private ofAuthorization(intent: Intent, authorization: Authorization): readonly Said[] {
    const nowMs = Date.now();
    return authorization.changes
      .filter(({ at }) => at <= nowMs)
      .flatMap((change) => this.ofChange(intent, authorization, change));
  }

  private ofChange(intent: Intent, authorization: Authorization, { kind, objectId }: Change): readonly Said[] {
    const { payments } = this.ledger;
    const intents = (name: string): Said => ({
      name: `payment_intent.${name}`,
      objectId: kind === 'declined' ? chargeIdOf(objectId) : intent.id,
      object: () => intentView(payments, payments.intent(intent.id) ?? intent),
    });
    const charges = (name: string): Said => ({
      name: `charge.${name}`,
      objectId: kind.startsWith('refund') ? objectId : chargeIdOf(authorization.authorizationId),
      object: () => chargeView(payments, authorization),
    });
    const refunds = (name: string): Said => ({
      name,
      objectId,
      object: () => orThrow(payments.money.refund(objectId), (refund) => refundView(payments, refund)),
    });
    const disputes = (name: string): Said => ({
      name: `charge.dispute.${name}`,
      objectId,
      object: () => orThrow(payments.money.dispute(objectId), (dispute) => disputeView(payments, dispute)),
    });
    switch (kind) {
      case 'authorized':
        return intent.captureMethod === 'manual'
          ? [charges('succeeded'), intents('amount_capturable_updated')]
          : [charges('succeeded')];
      case 'declined':
        return [charges('failed'), intents('payment_failed')];
      case 'captured':
        return [charges('captured'), intents('succeeded')];
      case 'voided':
        return [charges('refunded'), intents('canceled')];
      case 'refund_created':
        return [refunds('refund.created'), charges('refunded')];
      case 'refund_succeeded':
        return [refunds('refund.updated'), refunds('charge.refund.updated')];
      case 'refund_failed':
        return [refunds('refund.failed'), refunds('charge.refund.updated')];
      case 'dispute_opened': {
        const opened = payments.money.dispute(objectId)?.status;
        return [disputes('created'), ...(opened === 'inquiry' ? [] : [disputes('funds_withdrawn')])];
      }
      case 'dispute_changed':
        return [disputes('updated')];
      case 'dispute_closed': {
        const won = payments.money.dispute(objectId)?.status === 'won';
        return [disputes('closed'), ...(won ? [disputes('funds_reinstated')] : [])];
      }
    }
  }
}

function orThrow<T>(found: T | undefined, view: (found: T) => Json): Json {
  if (found === undefined) throw new Error('an object is not in the books');
  return view(found);
}
