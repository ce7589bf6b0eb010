/** What a card processor reports of a payment that a workflow is still waiting for: a reason to ask again at once. */
import { CancellationScope, condition, defineSignal, setHandler } from '@temporalio/workflow';
import { outermostScope } from './branches.js';
import { processorSignal } from './contract.js';

const processorChanged = defineSignal(processorSignal);

export interface ProcessorReports {
  /** A change was reported that was not looked at yet. */
  seen: boolean;
}

/** The reports of each workflow, by its outermost scope: all workflows of a worker share this module (dev/build.mjs). */
const reportsOf = new WeakMap<CancellationScope, ProcessorReports>();

/** From now on the workflow hears of changes at the processor. */
export function hearProcessor(): ProcessorReports {
  const reports = { seen: false };
  reportsOf.set(outermostScope(), reports);
  setHandler(processorChanged, () => {
    reports.seen = true;
  });
  return reports;
}

export const reported = Symbol('reported');

/** Waits, but not longer than until the processor reports a change: the wait is then cancelled. */
export async function untilReported<T>(wait: () => Promise<T>): Promise<T | typeof reported> {
  const reports = reportsOf.get(outermostScope());
  if (reports === undefined) return await wait();
  let interrupted = false;
  const waiting = new CancellationScope();
  const waited = waiting.run(wait).catch((error: unknown): typeof reported => {
    // The attempt that was cut short may end with a failure of its own.
    if (interrupted) return reported;
    throw error;
  });
  const listening = new CancellationScope();
  const heard = listening.run(() => condition(() => reports.seen));
  heard
    .then(() => {
      reports.seen = false;
      interrupted = true;
      waiting.cancel();
    })
    // The wait ended first.
    .catch(() => undefined);
  try {
    return await waited;
  } finally {
    listening.cancel();
  }
}
