/** Creates the schedules of Holdfast at start, or updates them. */
import { type Client, ScheduleAlreadyRunning, type ScheduleOptions } from '@temporalio/client';
import { processorChangesScheduleId } from '../../workflows/processor/contract.js';
import { taskQueue } from '../../workflows/shared/contract.js';
import { sweepScheduleId } from '../../workflows/sweep/contract.js';

export async function ensureSchedules(client: Client, expirySweepSeconds: number): Promise<void> {
  await ensureSchedule(client, sweepScheduleId, 'sweep', expirySweepSeconds);
  await ensureSchedule(client, processorChangesScheduleId, 'processorChanges', expirySweepSeconds);
}

/** Each run has the id of its schedule. One that takes longer is not overtaken by the next. */
async function ensureSchedule(
  client: Client,
  scheduleId: string,
  workflowType: string,
  everySeconds: number,
): Promise<void> {
  const options = {
    scheduleId,
    spec: { intervals: [{ every: `${everySeconds}s` }] },
    action: { type: 'startWorkflow', workflowType, workflowId: scheduleId, taskQueue, args: [] },
    policies: { overlap: 'SKIP', catchupWindow: '1m' },
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
