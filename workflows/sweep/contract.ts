/** What the outside needs to know of the sweep. Constants only. */
export const sweepScheduleId = 'sweep';
