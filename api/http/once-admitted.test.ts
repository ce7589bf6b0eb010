import { expect, test } from 'vitest';
import type { Place } from '../admission/admission.js';
import { onceAdmitted } from './once-admitted.js';

type Left = 'counted' | 'not counted' | 'later';

/** How the place is left by a call that is answered with this status. @param waitMs what the client still waits */
async function leftBy(status: number, waitMs: number): Promise<readonly Left[]> {
  const left: Left[] = [];
  const place: Place = {
    waitMs,
    leave: (decided) => void left.push(decided ? 'counted' : 'not counted'),
    leaveLater: () => void left.push('later'),
  };
  await onceAdmitted(
    { enter: async () => ({ kind: 'admitted', place }) },
    { apiKeyId: 'key_1', waitMs, gone: new AbortController().signal },
    async () => ({ kind: 'rendered', rendered: { status, headers: {}, body: '', repeatedBody: '', code: null } }),
  );
  return left;
}

test.each([200, 201, 202, 402])('%i comes from a saga: it counts for how quick sagas are', async (status) => {
  expect(await leftBy(status, 1000)).toEqual(['counted']);
  expect(await leftBy(status, 0)).toEqual(['later']);
});

test.each([400, 403, 404, 409, 422, 429, 500, 503])(
  '%i may come from before any saga: it does not count',
  async (status) => {
    expect(await leftBy(status, 1000)).toEqual(['not counted']);
    expect(await leftBy(status, 0)).toEqual(['not counted']);
  },
);
