/** Creates the schedules of Holdfast at start, or updates them. */
import { type Client, ScheduleAlreadyRunning, type ScheduleOptions } from '@temporalio/client';
import { taskQueue } from '../../workflows/shared/contract.js';
import { sweepScheduleId } from '../../workflows/sweep/contract.js';

export async function ensureSchedules(client: Client, expirySweepSeconds: number): Promise<void> {
  const options = {
    scheduleId: sweepScheduleId,
    spec: { intervals: [{ every: `${expirySweepSeconds}s` }] },
    action: { type: 'startWorkflow', workflowType: 'sweep', workflowId: 'sweep', taskQueue, args: [] },
    policies: { overlap: 'SKIP', catchupWindow: '1m' },
  } satisfies ScheduleOptions;
  try {
    await client.schedule.create(options);
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await client.schedule
      .getHandle(sweepScheduleId)
      .update((present) => ({ ...present, spec: options.spec, policies: options.policies }));
  }
}
