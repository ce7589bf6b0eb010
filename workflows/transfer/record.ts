/** What the saga knows of its transfer: the state after the last step, and the keys of the steps to come. */
import { setCurrentDetails } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.js';
import type { Refusal } from '../../domain/errors.js';
import type { TransferStatus } from '../../domain/transfers/states.js';
import type { TransferStepResult } from '../../domain/transfers/steps.js';
import type { Caller } from '../shared/contract.js';
import { givenUp, unlessGivenUp } from '../shared/stuck-steps.js';
import type { TransferAnswer, TransferInput } from './contract.js';
import type { TransferDesk } from './inbox.js';

/** How a transfer ends whose goods are given back, and who wanted it so. */
export interface Ending {
  readonly to: 'cancelled' | 'failed';
  readonly reason: string | null;
  readonly failure: { readonly code: string; readonly detail: string } | null;
  readonly caller: Caller;
}

type Close = Parameters<Activities['closeTransfer']>[0];

export class TransferRecord {
  /** Whether there is a transfer at all: one that could not be opened has left nothing. */
  exists = false;
  private steps = 0;
  private refused: Refusal | null = null;
  /** How it will end, once that is fixed. */
  closing: Close | null = null;

  constructor(
    readonly transferId: string,
    private readonly goods: Pick<TransferInput, 'sku' | 'quantity' | 'from' | 'to'>,
    private readonly desk: TransferDesk,
    private readonly run: string,
  ) {}

  get status(): TransferStatus {
    return this.desk.state.status;
  }

  /**
   * What every step carries. The number makes a second receive another question than the first, and so does the run, but
   * for the steps that there is one of.
   */
  next(step: string, caller: Caller): { key: string; transferId: string; actor: string; traceId: string } {
    this.steps += 1;
    const run = step === 'open' || step === 'move' || step === 'ship' ? '' : this.run;
    return {
      key: `transfer/${this.transferId}/${step}/${run}${this.steps}`,
      transferId: this.transferId,
      actor: caller.actor,
      traceId: caller.traceparent.split('-')[1] ?? '',
    };
  }

  /** Does a step and takes up what it has made of the transfer. */
  async apply<Step>(activity: (step: Step) => Promise<TransferStepResult>, step: Step): Promise<TransferStepResult> {
    const refused = () => ({ outcome: 'refused', state: null, transitions: [], refusal: givenUp() }) as const;
    const result = await unlessGivenUp(activity(step), refused);
    if (result.outcome === 'refused') this.refused = result.refusal;
    if (result.state !== null) {
      this.exists = true;
      this.desk.state = result.state;
      this.publish();
    } else if (result.outcome === 'refused') setCurrentDetails(`failed: ${said(result.refusal)}`);
    return result;
  }

  /** Tells in the Web UI how the transfer stands, and at its end what became of the goods. */
  private publish(): void {
    const { sku, quantity, from, to } = this.goods;
    const { received } = this.desk.state;
    setCurrentDetails(`${this.status}, ${quantity} of ${sku} from ${from} to ${to}: ${this.meaning(received)}`);
  }

  private meaning(received: number | null): string {
    const { quantity } = this.goods;
    const failure = this.closing?.failure ?? this.refused;
    switch (this.status) {
      case 'pending':
        return 'is being opened';
      case 'reserved':
        return 'held at the source';
      case 'in_transit':
        return 'on their way; waits until they are received or called back';
      case 'completed':
        return received === null || received === quantity ? 'all arrived' : `${received} arrived, the rest is lost`;
      case 'manual_review':
        return 'the goods cannot be given back; a person is told';
      case 'cancelled':
        return `given back: ${this.closing?.reason ?? 'called back'}`;
      case 'failed':
        return failure === null ? 'cannot be moved' : said(failure);
    }
  }

  /** Fixes how the transfer will end; it can end only once. */
  endAs({ caller, ...ending }: Ending): Close {
    this.closing ??= { ...this.next('close', caller), ...ending, byHand: false };
    return this.closing;
  }

  answer(): TransferAnswer {
    return { kind: 'done', status: this.status };
  }

  refuse(why: Refusal): TransferAnswer {
    const refusal = this.exists ? { ...why, extensions: { ...why.extensions, transferId: this.transferId } } : why;
    return { kind: 'refused', status: this.status, refusal };
  }
}

function said({ code, detail }: { readonly code: string; readonly detail: string }): string {
  return `${code}, ${detail}`;
}
