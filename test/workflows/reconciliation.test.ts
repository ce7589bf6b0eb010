/** What the nightly reconciliation does, and what it does when a comparison fails. */

import { ApplicationFailure } from '@temporalio/common';
import { expect, test } from 'vitest';
import { lastingFailure } from '../../domain/retry.js';
import { faultyWorker, newId } from './faulty-worker.js';

const begin = faultyWorker({ failReconciliation: () => undefined, openReview: () => undefined });

test('a nightly reconciliation that fails opens a review', async () => {
  const run = await begin(
    'nightlyReconciliation',
    newId('nightly'),
    {},
    {
      reconcilePayments: () => {
        throw ApplicationFailure.nonRetryable('too many pages', lastingFailure);
      },
    },
  );
  await run.running.result();
  const [id] = run.argsOf('failReconciliation')[0] ?? [];
  const opened = run.argsOf('openReview').map(([{ kind, subject }]) => ({ kind, subject }));
  expect(opened).toEqual([{ kind: 'reconciliation', subject: `reconciliation/${id}` }]);
});
