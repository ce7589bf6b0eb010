/**
 * A refund of an order or a payment: `refund/<id>`. It reserves what it returns, asks the processor, and books the answer.
 * The money moves first; books, goods and mail follow in one transaction. A refund that fails frees what it reserved, and a
 * person decides whether it is tried again.
 */
import { allHandlersFinished, condition, patched, setCurrentDetails, setHandler } from '@temporalio/workflow';
import { refusal } from '../../domain/errors.js';
import { formatMoney } from '../../domain/money.js';
import {
  type RefundAnswer as ProcessorAnswer,
  type RefundFailure,
  type RefundState,
  type RefundStep,
  type RefundStepResult,
  refundStepKey,
} from '../../domain/payments/refunds.js';
import { runToEnd } from '../shared/cancellation.js';
import { FirstAnswer } from '../shared/first-answer.js';
import { hearProcessor, type ProcessorReports } from '../shared/processor-reports.js';
import { database } from '../shared/proxies.js';
import { givenUp, unlessGivenUp } from '../shared/stuck-steps.js';
import type { RefundAnswer, RefundInput } from './contract.js';
import { closedByHand, decided, RefundAtProcessor } from './processor.js';
import { FailedRefund } from './review.js';

export async function refund(input: RefundInput): Promise<RefundAnswer> {
  const answer = new FirstAnswer<RefundAnswer>();
  setHandler(decided, () => answer.given);
  const reports = hearProcessor();
  // Cancelling the workflow in the Web UI cannot call money back: it ends the wait for a person, and nothing else.
  let stopWanted = false;
  const onCancel = () => {
    stopWanted = true;
  };
  return await runToEnd({ onCancel, wanted: () => stopWanted }, async () => {
    await new RefundSaga(input, answer, reports, () => stopWanted).run();
    await condition(allHandlersFinished);
    return await answer.given;
  });
}

class RefundSaga {
  constructor(
    private readonly input: RefundInput,
    private readonly answer: FirstAnswer<RefundAnswer>,
    private readonly reports: ProcessorReports,
    private readonly stopWanted: () => boolean,
  ) {}

  async run(): Promise<void> {
    const { orderId, paymentId, request, reason, requestedAt } = this.input;
    const asked = { orderId, paymentId, request, reason, requestedAt };
    const begun = await this.apply(database.beginRefund({ ...this.step('begin', 0), ...asked }));
    if (begun.outcome === 'refused') return this.refuse(begun);

    for (let { state } = begun; ; ) {
      if (state.status === 'pending') state = await this.settle(state);
      const answer = this.answerOf(state);
      this.answer.give(answer);
      if (state.status !== 'failed' || state.failure?.code === closedByHand) return;
      // Its client is told no, and asks again where it still wants the money returned: a retry here would return it twice.
      if (answer.kind === 'refused' && patched('refused-refunds-end')) return;
      // A person decides: the next attempt is another operation of the processor.
      const failed = new FailedRefund(this.input.refundId, state);
      const retried = await failed.decided(this.stopWanted, () =>
        this.apply(database.retryRefund({ ...this.step('retry', state.attempts), attempt: state.attempts })),
      );
      if (retried === null) return;
      state = retried;
    }
  }

  /** Returns the money of a pending refund, if there is any, and books the outcome. */
  private async settle(state: RefundState): Promise<RefundState> {
    this.show(state, 'is asked for at the processor');
    const attempt = state.attempts;
    const atProcessor = RefundAtProcessor.of(this.input, state, this.reports);
    if (atProcessor === null) return await this.book(attempt, null);
    let said = await atProcessor.ask();
    if (said.kind === 'pending') {
      const { providerReference } = said;
      await this.apply(database.acceptRefund({ ...this.step('accept', attempt), attempt, providerReference }));
      this.answer.give({ kind: 'done', status: 'pending' });
      this.show(state, `waits for the processor (${providerReference})`);
      said = await atProcessor.untilSettled();
    }
    if (said.kind === 'succeeded') return await this.book(attempt, said.providerReference);
    const failed = { attempt, providerReference: referenceOf(said), failure: failureOf(said) };
    return this.shown(await this.apply(database.failRefund({ ...this.step('fail', attempt), ...failed })));
  }

  private async book(attempt: number, providerReference: string | null): Promise<RefundState> {
    const settled = database.settleRefund({ ...this.step('settle', attempt), attempt, providerReference });
    return this.shown(await this.apply(settled));
  }

  /** A step that was given up counts as refused. */
  private async apply(step: Promise<RefundStepResult>): Promise<RefundStepResult> {
    const refused = () => ({ outcome: 'refused', state: null, transitions: [], refusal: givenUp() }) as const;
    return await unlessGivenUp(step, refused);
  }

  private step(name: RefundStep['step'], attempt: number) {
    const { refundId, caller } = this.input;
    const [, traceId = ''] = caller.traceparent.split('-');
    const { actor, requestId } = caller;
    const request = requestId === null ? {} : { requestId };
    return { refundId, key: refundStepKey(refundId, name, attempt), actor, traceId, ...request };
  }

  private refuse({ refusal: why }: Extract<RefundStepResult, { outcome: 'refused' }>): void {
    setCurrentDetails(`refused: ${why.code}, ${why.detail}`);
    this.answer.give({ kind: 'refused', status: 'failed', refusal: why });
  }

  /** A processor that refuses is a refusal; a refund that it could not make is a failed refund. */
  private answerOf({ status, failure, paymentId }: RefundState): RefundAnswer {
    const { refundId } = this.input;
    if (failure?.code === 'over_refund' || failure?.code === 'payment_disputed') {
      const named = { refundId, ...(paymentId !== null && { paymentId }) };
      return { kind: 'refused', status, refusal: refusal(failure.code, failure.detail, named) };
    }
    return { kind: 'done', status };
  }

  private shown(result: RefundStepResult): RefundState {
    if (result.state === null) throw new Error(`refund ${this.input.refundId} has no row after a step`);
    const { failure } = result.state;
    this.show(result.state, failure === null ? 'is booked' : `${failure.code}, ${failure.detail}`);
    return result.state;
  }

  /** Shows the refund to operators in the Web UI. */
  private show(state: RefundState, what: string): void {
    setCurrentDetails(`${state.status}, ${formatMoney(state)}: ${what}`);
  }
}

type NotMade = Exclude<ProcessorAnswer, { kind: 'succeeded' } | { kind: 'pending' }>;

function referenceOf(said: NotMade): string | null {
  return said.kind === 'failed' ? said.providerReference : null;
}

function failureOf(said: NotMade): RefundFailure {
  switch (said.kind) {
    case 'failed':
      return { code: said.code, detail: said.detail };
    case 'over_refund':
      return { code: 'over_refund', detail: 'the processor has less left to refund than our books' };
    case 'disputed':
      return { code: 'payment_disputed', detail: 'the payment is disputed, and the processor does not refund it' };
  }
}
