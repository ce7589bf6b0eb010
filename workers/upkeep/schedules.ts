/** Creates the schedules of Holdfast at start, or updates them. */
import { type Client, ScheduleAlreadyRunning, type ScheduleOptions } from '@temporalio/client';
import { processorChangesScheduleId } from '../../workflows/processor/contract.js';
import { reconciliationScheduleId } from '../../workflows/reconciliation/contract.js';
import { taskQueue } from '../../workflows/shared/contract.js';
import { sweepScheduleId } from '../../workflows/sweep/contract.js';

export async function ensureSchedules(client: Client, expirySweepSeconds: number): Promise<void> {
  const often = { intervals: [{ every: `${expirySweepSeconds}s` as const }] };
  await ensureSchedule(client, sweepScheduleId, 'sweep', often, '1m');
  await ensureSchedule(client, processorChangesScheduleId, 'processorChanges', often, '1m');
  await ensureSchedule(client, reconciliationScheduleId, 'nightlyReconciliation', nightly, '3h');
}

/** At 03:10 UTC. One that was missed because no server ran is made up for within the night. */
const nightly = { calendars: [{ hour: 3, minute: 10 }] };

/** Each run has the id of its schedule. One that takes longer is not overtaken by the next. */
async function ensureSchedule(
  client: Client,
  scheduleId: string,
  workflowType: string,
  spec: ScheduleOptions['spec'],
  catchupWindow: `${number}${'m' | 'h'}`,
): Promise<void> {
  const options = {
    scheduleId,
    spec,
    action: { type: 'startWorkflow', workflowType, workflowId: scheduleId, taskQueue, args: [] },
    policies: { overlap: 'SKIP', catchupWindow },
  } satisfies ScheduleOptions;
  try {
    await client.schedule.create(options);
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await client.schedule
      .getHandle(scheduleId)
      .update((present) => ({ ...present, spec: options.spec, policies: options.policies }));
  }
}
