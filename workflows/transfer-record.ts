/** What the saga knows of its transfer: the state after the last step, and the keys of the steps to come. */
import type { Activities } from '../activities/index.js';
import type { Refusal } from '../domain/errors.js';
import type { TransferStatus } from '../domain/transfer-states.js';
import type { TransferStepResult } from '../domain/transfer-steps.js';
import type { Caller, TransferAnswer } from './contract.js';
import { givenUp, unlessGivenUp } from './stuck-steps.js';
import type { TransferDesk } from './transfer-desk.js';

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
  /** How it will end, once that is fixed. */
  closing: Close | null = null;

  constructor(
    readonly transferId: string,
    private readonly desk: TransferDesk,
  ) {}

  get status(): TransferStatus {
    return this.desk.state.status;
  }

  /** What every step carries. The number makes a second receive another question than the first. */
  next(step: string, caller: Caller): { key: string; transferId: string; actor: string; traceId: string } {
    this.steps += 1;
    return {
      key: `transfer/${this.transferId}/${step}/${this.steps}`,
      transferId: this.transferId,
      actor: caller.actor,
      traceId: caller.traceparent.split('-')[1] ?? '',
    };
  }

  /** Does a step and takes up what it has made of the transfer. */
  async apply<Step>(activity: (step: Step) => Promise<TransferStepResult>, step: Step): Promise<TransferStepResult> {
    const refused = () => ({ outcome: 'refused', state: null, transitions: [], refusal: givenUp() }) as const;
    const result = await unlessGivenUp(activity(step), refused);
    if (result.state !== null) {
      this.exists = true;
      this.desk.state = result.state;
    }
    return result;
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
