/** What the saga knows of its order: the state after the last step, and the keys of the steps to come. */
import { defineSearchAttributeKey, type SearchAttributePair, SearchAttributeType } from '@temporalio/common';
import { patched, setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { isRefusalCode, type Refusal, refusal } from '../../domain/errors.js';
import { formatMoney } from '../../domain/money.js';
import { isSettled, type OrderStatus, orderStatusMeanings } from '../../domain/orders/states.js';
import { type OrderState, type OrderStepResult, orderStepKey } from '../../domain/orders/steps.js';
import { skuList } from '../../domain/search-attributes.js';
import type { Caller } from '../shared/contract.js';
import { givenUp, unlessGivenUp } from '../shared/stuck-steps.js';
import type { OrderAnswer, PaymentChoice } from './contract.js';
import { cannotBecome, type OrderDesk } from './inbox.js';

const orderStatus = defineSearchAttributeKey('OrderStatus', SearchAttributeType.KEYWORD);
const total = defineSearchAttributeKey('Total', SearchAttributeType.INT);
const sku = defineSearchAttributeKey('Sku', SearchAttributeType.KEYWORD_LIST);

export class OrderRecord {
  /** How it is to be paid, where that was said when it was made. */
  payment: PaymentChoice | null = null;
  private state: OrderState | null = null;
  private deadline: number | null = null;
  private looks = 0;
  private published: OrderStatus | null = null;
  private ending: string | null = null;
  private readonly skus: Set<string>;

  constructor(
    readonly orderId: string,
    private readonly desk: OrderDesk,
    lines: readonly { readonly sku: string }[],
    private readonly run: string,
  ) {
    this.skus = new Set(lines.map((line) => line.sku));
  }

  get status(): OrderStatus {
    return this.desk.status;
  }

  /** Whether there is an order at all: one that could not be opened has left nothing. */
  get exists(): boolean {
    return this.state !== null;
  }

  get totalAmount(): number {
    return this.state?.totalAmount ?? 0;
  }

  get currency(): string {
    return this.state?.currency ?? 'USD';
  }

  /** What every step carries. @param cause see orderStepKey */
  step(name: string, cause: string, caller: Caller): { key: string; orderId: string; actor: string; traceId: string } {
    return {
      key: orderStepKey(this.orderId, name, cause),
      orderId: this.orderId,
      actor: caller.actor,
      traceId: caller.traceparent.split('-')[1] ?? '',
    };
  }

  /** A look whether the time is over: each one is another question. */
  look(caller: Caller): ReturnType<OrderRecord['step']> {
    this.looks += 1;
    return this.step('expire', `${this.run}${this.looks}`, caller);
  }

  /** Does a step and takes up what it has made of the order. */
  async apply<Step>(activity: (step: Step) => Promise<OrderStepResult>, step: Step): Promise<OrderStepResult> {
    const refused = () => ({ outcome: 'refused', state: null, transitions: [], refusal: givenUp() }) as const;
    return this.takeUp(await unlessGivenUp(activity(step), refused));
  }

  /** Takes up what a step has made of the order. */
  takeUp(result: OrderStepResult): OrderStepResult {
    if (result.state !== null) {
      this.state = result.state;
      this.desk.status = result.state.status;
      const { expiresInMs } = result.state;
      this.deadline = expiresInMs === null ? null : Date.now() + expiresInMs;
    }
    return result;
  }

  /** How the order has come to its end, for the operator who looks at its workflow. */
  endsBy(how: string): void {
    this.ending = how;
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

  answer(): OrderAnswer {
    return { kind: 'done', status: this.status };
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

  refuse(why: Refusal): OrderAnswer {
    const extensions = this.exists ? { ...why.extensions, orderId: this.orderId } : why.extensions;
    return { kind: 'refused', status: this.status, refusal: extensions ? { ...why, extensions } : why };
  }

  /** Makes the order searchable in Temporal as it stands, and tells in the Web UI what its status means. */
  publish(): void {
    if (this.state === null) return;
    const money = formatMoney({ amount: this.totalAmount, currency: this.currency });
    const how = isSettled(this.status) && this.ending !== null ? this.ending : orderStatusMeanings[this.status];
    setCurrentDetails(`${this.status}, ${money}: ${how}`);
    const moved = this.published !== this.status;
    this.published = this.status;
    const changed = this.changedAttributes();
    // Orders of before published nothing where a line came to what was reserved.
    if (moved || (changed.length > 0 && patched('lines-are-searchable')))
      upsertSearchAttributes([{ key: orderStatus, value: this.status }, ...changed]);
  }

  /** What is searchable besides the status and is otherwise by now. */
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
