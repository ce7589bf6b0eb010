/** The saga's view of its transfer. */
import type { Activities } from '../../activities/index.js';
import { type TransferState, type TransferStep, transferStepKey } from '../../domain/transfers/steps.js';
import type { Caller } from '../shared/contract.js';
import { type AnyStepResult, SagaRecord } from '../shared/record.js';
import type { TransferInput } from './contract.js';
import type { TransferInbox } from './inbox.js';

/** How and for whom a transfer ends after its goods were given back. */
export interface Ending {
  readonly to: 'cancelled' | 'failed';
  readonly reason: string | null;
  readonly failure: { readonly code: string; readonly detail: string } | null;
  readonly caller: Caller;
  /** The cause of the closing step: see transferStepKey. */
  readonly cause: string;
}

type Close = Parameters<Activities['closeTransfer']>[0];

export class TransferRecord extends SagaRecord<{ readonly transferId: string }, TransferState, TransferState> {
  /** How the transfer will end; null until that is fixed. */
  closing: Ending | null = null;

  constructor(
    private readonly input: TransferInput,
    inbox: TransferInbox,
  ) {
    super({ transferId: input.transferId }, inbox);
  }

  override adopt<Result extends AnyStepResult<TransferState>>(result: Result): Result {
    super.adopt(result);
    // A refusal while the goods are given back does not change how the transfer ends.
    if (result.outcome === 'refused' && this.closing === null) this.endsBy(said(result.refusal));
    this.publish();
    return result;
  }

  /** Fixes how the transfer will end. Later calls have no effect. */
  endAs(ending: Ending): void {
    if (this.closing !== null) return;
    this.closing = ending;
    this.endsBy(ending.failure === null ? (ending.reason ?? 'called back') : said(ending.failure));
  }

  /** The step that ends the transfer. @param byHand a person has given the goods back */
  close({ cause, caller, ...ending }: Ending, byHand: boolean): Close {
    return { ...this.step('close', byHand ? `${cause}/by-hand` : cause, caller), ...ending, byHand };
  }

  protected override keyOf(step: TransferStep['step'], cause: string): string {
    return transferStepKey(this.input.transferId, step, cause);
  }

  protected override details(): string {
    if (this.state === null) return `failed: ${this.ending}`;
    const { sku, quantity, from, to } = this.input;
    return `${this.status}, ${quantity} of ${sku} from ${from} to ${to}: ${this.meaning(this.state)}`;
  }

  private meaning({ status, received }: TransferState): string {
    switch (status) {
      case 'pending':
        return 'is being opened';
      case 'reserved':
        return 'held at the source';
      case 'in_transit':
        return 'in transit; waits until the goods are received or called back';
      case 'completed':
        return received === null || received === this.input.quantity
          ? 'all arrived'
          : `${received} arrived, the rest is lost`;
      case 'manual_review':
        return 'the goods cannot be given back; a review is open';
      case 'cancelled':
        return `given back: ${this.ending ?? 'called back'}`;
      case 'failed':
        return this.ending ?? 'cannot be moved';
    }
  }
}

function said({ code, detail }: { readonly code: string; readonly detail: string }): string {
  return `${code}, ${detail}`;
}
