/** The steps of a transfer, each one transaction in Postgres with its stock. */
import { log } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { TransferStore } from '../db/transfers/store.js';
import { isTransferEnded } from '../domain/transfers/states.js';
import type { TransferStep, TransferStepResult } from '../domain/transfers/steps.js';

type Step<Name extends TransferStep['step']> = Omit<Extract<TransferStep, { step: Name }>, 'step'>;

/** Each step may be repeated with its key: it then answers what it answered first. See domain/transfers/steps.ts for each one. */
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
     * Undoes the transfer: as `closeTransfer`, but throws while the goods cannot be given back, so that it is retried. A
     * transfer that has ended stays as it is: a workflow task that was lost after it had acted runs again, and may then
     * find a cancel that it had not found before.
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
