/** The steps of a transfer. Each is one transaction over the transfer and its stock. */
import { log } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { TransferStore } from '../db/transfers/store.js';
import { isTransferEnded } from '../domain/transfers/states.js';
import type { TransferStep, TransferStepResult } from '../domain/transfers/steps.js';

type Step<Name extends TransferStep['step']> = Omit<Extract<TransferStep, { step: Name }>, 'step'>;

/** A step repeated with its key returns its first answer. domain/transfers/steps.ts describes each step. */
export function transferActivities(store: TransferStore) {
  async function apply(step: TransferStep): Promise<TransferStepResult> {
    const result = await store.apply(step);
    for (const { from, to } of result.transitions)
      log.info('transfer moved', { transferId: step.transferId, from, to, actor: step.actor, traceId: step.traceId });
    return result;
  }
  return {
    openTransfer: (step: Step<'open'>) => apply({ ...step, step: 'open' }),
    moveTransfer: (step: Step<'move'>) => apply({ ...step, step: 'move' }),
    shipTransfer: (step: Step<'ship'>) => apply({ ...step, step: 'ship' }),
    receiveTransfer: (step: Step<'receive'>) => apply({ ...step, step: 'receive' }),
    closeTransfer: (step: Step<'close'>) => apply({ ...step, step: 'close' }),
    reviewTransfer: (step: Step<'review'>) => apply({ ...step, step: 'review' }),

    /**
     * Undoes the transfer: as `closeTransfer`, but throws while the goods cannot be given back, so that it is retried. An
     * ended transfer stays unchanged: a workflow task that was lost after it had acted runs again, perhaps with a cancel
     * that it had not received before.
     */
    async undoTransfer(step: Step<'close'>): Promise<TransferStepResult> {
      const result = await apply({ ...step, step: 'close' });
      if (result.outcome === 'refused' && result.state !== null && !isTransferEnded(result.state.status))
        throw ApplicationFailure.create({ type: result.refusal.code, message: result.refusal.detail });
      return result;
    },
  };
}

export type TransferActivities = ReturnType<typeof transferActivities>;
