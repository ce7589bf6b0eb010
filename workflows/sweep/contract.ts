/** The contract of the sweep. Constants only. */
export const sweepScheduleId = 'sweep';
