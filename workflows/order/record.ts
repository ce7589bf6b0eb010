/** What the saga knows of its order. */
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
  /** How it is to be paid, where that was said when it was made. */
  payment: PaymentChoice | null = null;
  private deadline: number | null = null;
  private looks = 0;
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

  /** A look whether the time is over: each one is another question. */
  look(caller: Caller): ReturnType<OrderRecord['step']> {
    this.looks += 1;
    return this.step('expire', `${this.run}${this.looks}`, caller);
  }

  override takeUp<Result extends AnyStepResult<OrderState>>(result: Result): Result {
    if (result.state !== null) {
      const { expiresInMs } = result.state;
      this.deadline = expiresInMs === null ? null : Date.now() + expiresInMs;
    }
    return super.takeUp(result);
  }

  /** A line has come to the order. */
  addLine(line: { readonly sku: string }): void {
    this.skus.add(line.sku);
  }

  /** The order as it stands, as a step answers it; null where there is no order. */
  get standing(): OrderStepResult | null {
    return this.state === null ? null : { outcome: 'done', state: this.state, transitions: [] };
  }

  /** Until its time runs out, in milliseconds; null where it does not run out. */
  remainingMs(): number | null {
    return this.deadline === null ? null : Math.max(0, this.deadline - Date.now());
  }

  /** The answer to a confirmation that was decided before: by a task that was lost after it had acted. */
  pastConfirmation(): OrderAnswer {
    if (this.status === 'confirmed') return this.answer();
    const refused = this.status === 'reserved' || this.status === 'failed' ? this.state?.refused : null;
    return this.refuse(
      refused && isRefusalCode(refused.code)
        ? refusal(refused.code, refused.detail)
        : cannotBecome(this.status, 'confirmed'),
    );
  }

  /** Shows the order as it stands in the Web UI, and makes it searchable so. */
  override publish(): void {
    if (this.state === null) return;
    super.publish();
    const moved = this.published !== this.status;
    this.published = this.status;
    const changed = this.changedAttributes();
    // Orders of before published nothing where a line came to what was reserved.
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

  /** What is searchable besides the status and has changed. */
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
