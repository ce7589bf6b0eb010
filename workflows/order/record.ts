/** The saga's view of its order. */
import { defineSearchAttributeKey, type SearchAttributePair, SearchAttributeType } from '@temporalio/common';
import { patched, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { isRefusalCode, refusal } from '../../domain/errors.js';
import { formatMoney } from '../../domain/money.js';
import { isSettled, type OrderStatus, orderStatusMeanings } from '../../domain/orders/states.js';
import { type OrderState, type OrderStepResult, orderStepKey } from '../../domain/orders/steps.js';
import { skuList } from '../../domain/search-attributes.js';
import type { Caller } from '../shared/contract.js';
import { type AnyStepResult, SagaRecord } from '../shared/record.js';
import type { OrderAnswer, PaymentChoice } from './contract.js';
import { cannotBecome, type OrderInbox } from './inbox.js';

const orderStatus = defineSearchAttributeKey('OrderStatus', SearchAttributeType.KEYWORD);
const total = defineSearchAttributeKey('Total', SearchAttributeType.INT);
const sku = defineSearchAttributeKey('Sku', SearchAttributeType.KEYWORD_LIST);

export class OrderRecord extends SagaRecord<
  { readonly orderId: string },
  { readonly status: OrderStatus },
  OrderState
> {
  /** The payment that came with the order; null where none did. */
  payment: PaymentChoice | null = null;
  private deadline: number | null = null;
  private expiryChecks = 0;
  private published: OrderStatus | null = null;
  private readonly skus: Set<string>;

  constructor(
    private readonly orderId: string,
    inbox: OrderInbox,
    lines: readonly { readonly sku: string }[],
    private readonly run: string,
  ) {
    super({ orderId }, inbox);
    this.skus = new Set(lines.map((line) => line.sku));
  }

  get totalAmount(): number {
    return this.state?.totalAmount ?? 0;
  }

  get currency(): string {
    return this.state?.currency ?? 'USD';
  }

  /** The step that expires the order if it is overdue. Each check has a key of its own. */
  expiryStep(caller: Caller): ReturnType<OrderRecord['step']> {
    this.expiryChecks += 1;
    return this.step('expire', `${this.run}${this.expiryChecks}`, caller);
  }

  override adopt<Result extends AnyStepResult<OrderState>>(result: Result): Result {
    if (result.state !== null) {
      const { expiresInMs } = result.state;
      this.deadline = expiresInMs === null ? null : Date.now() + expiresInMs;
    }
    return super.adopt(result);
  }

  /** Adds a line's SKU to the searchable ones. */
  addLine(line: { readonly sku: string }): void {
    this.skus.add(line.sku);
  }

  /** The current order as the result of a step; null where there is no order. */
  get standing(): OrderStepResult | null {
    return this.state === null ? null : { outcome: 'done', state: this.state, transitions: [] };
  }

  /** Milliseconds until the order expires; null where it does not. */
  remainingMs(): number | null {
    return this.deadline === null ? null : Math.max(0, this.deadline - Date.now());
  }

  /** The answer to a confirmation that a lost task has already decided. */
  pastConfirmation(): OrderAnswer {
    if (this.status === 'confirmed') return this.answer();
    const refused = this.status === 'reserved' || this.status === 'failed' ? this.state?.refused : null;
    return this.refuse(
      refused && isRefusalCode(refused.code)
        ? refusal(refused.code, refused.detail)
        : cannotBecome(this.status, 'confirmed'),
    );
  }

  /** Shows the order's state in the Web UI and updates its search attributes. */
  override publish(): void {
    if (this.state === null) return;
    super.publish();
    const moved = this.published !== this.status;
    this.published = this.status;
    const changed = this.changedAttributes();
    // Older histories publish nothing when a line is added to a reserved order.
    if (moved || (changed.length > 0 && patched('lines-are-searchable')))
      upsertSearchAttributes([{ key: orderStatus, value: this.status }, ...changed]);
  }

  protected override keyOf(step: string, cause: string): string {
    return orderStepKey(this.orderId, step, cause);
  }

  protected override details(): string {
    const money = formatMoney({ amount: this.totalAmount, currency: this.currency });
    const how = isSettled(this.status) && this.ending !== null ? this.ending : orderStatusMeanings[this.status];
    return `${this.status}, ${money}: ${how}`;
  }

  /** The changed search attributes besides the status. */
  private changedAttributes(): SearchAttributePair[] {
    const known = workflowInfo().typedSearchAttributes;
    const skus = skuList(this.skus);
    const listed = known.get(sku) ?? [];
    return [
      ...(known.get(total) === this.totalAmount ? [] : [{ key: total, value: this.totalAmount }]),
      ...(skus.length === listed.length ? [] : [{ key: sku, value: skus }]),
    ];
  }
}
