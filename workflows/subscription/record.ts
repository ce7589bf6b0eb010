/** The saga's view of its subscription. */
import { formatMoney } from '../../domain/money.js';
import type { SubscriptionStatus } from '../../domain/subscriptions/states.js';
import { type SubscriptionState, subscriptionStepKey } from '../../domain/subscriptions/steps.js';
import { type AnyStepResult, SagaRecord } from '../shared/record.js';
import type { SubscriptionInput } from './contract.js';
import type { SubscriptionInbox } from './inbox.js';

/** Between two looks at what is nearly due. */
const leastWaitMs = 250;

interface Standing {
  readonly status: SubscriptionStatus;
}

export class SubscriptionRecord extends SagaRecord<{ readonly subscriptionId: string }, Standing, SubscriptionState> {
  /** When its state was read, by the workflow's time. */
  private readAt = 0;

  constructor(
    private readonly input: SubscriptionInput,
    inbox: SubscriptionInbox,
  ) {
    super({ subscriptionId: input.subscriptionId }, inbox);
  }

  /** Whether it may still be charged. */
  get isLive(): boolean {
    return this.exists && this.status !== 'cancelled';
  }

  /** The charge under way. */
  get charge() {
    return this.state?.charge ?? null;
  }

  /** Something is due, or being charged. */
  get hasWork(): boolean {
    return this.state !== null && (this.state.due || this.state.charge !== null);
  }

  /** Until it has something to do by itself; null: it waits for a command or for its test clock. */
  get nextInMs(): number | null {
    const nextAt = this.state?.nextAt ?? null;
    if (nextAt === null) return null;
    // A worker whose clock is behind finds nothing due yet.
    return Math.max(Date.parse(nextAt), this.readAt + leastWaitMs) - Date.now();
  }

  override adopt<Result extends AnyStepResult<SubscriptionState>>(result: Result): Result {
    super.adopt(result);
    if (result.state !== null) this.readAt = Date.now();
    this.publish();
    return result;
  }

  protected override keyOf(name: string, cause: string): string {
    return subscriptionStepKey(this.input.subscriptionId, name, cause);
  }

  protected override details(): string {
    const { plan } = this.input;
    return `${this.status}, began with ${formatMoney(plan)} a ${plan.interval}: ${meanings[this.status]}`;
  }
}

const meanings: Readonly<Record<SubscriptionStatus, string>> = {
  scheduled: 'its first period has not begun',
  active: 'paid up to the end of its period',
  past_due: 'the card was refused and is tried again',
  unpaid: 'the card is not tried again; waits for another one',
  paused: 'nothing is charged until it is resumed',
  cancelled: 'nothing is charged any more',
};
