/** Compares the ledger with levels and open holds, in chunks, so that any worker can resume the walk. */
import { randomUUID } from 'node:crypto';
import { cancellationSignal, heartbeat, log } from '@temporalio/activity';
import type { Connection } from '../db/postgres/client.js';
import {
  cancelVerification,
  claimVerification,
  maxDifferences,
  type Progress,
  recordProgress,
} from '../db/stock/verifications.js';
import { verifyChunk } from '../db/stock/verify.js';
import type { AskedBy } from '../domain/steps.js';

/** Rows of the ledger that one statement reads, which takes some tens of milliseconds. */
const chunkRows = 20_000;
/** The shortest time between records of progress. A killed worker's walk is repeated from the last record. */
const recordEveryMs = 1000;

/** The verification to run, fixed when the workflow starts. */
export interface VerificationRun {
  readonly id: string;
  /** RFC 3339 */
  readonly createdAt: string;
  /** Absent in recorded histories. */
  readonly by?: AskedBy;
}

export function verificationActivities({ slowSql }: Pick<Connection, 'slowSql'>, rows = chunkRows) {
  return {
    /**
     * Walks the ledger to its end, from where the last attempt stopped. A concurrent attempt takes the walk over, and
     * this one ends.
     */
    async verifyLedger({ id, createdAt, by }: VerificationRun): Promise<void> {
      const stopped = cancellationSignal();
      const run = { id, createdAt, runner: randomUUID(), ...(by && { by }) };
      let progress = await claimVerification(slowSql, run);
      if (progress === null) return;
      let recordedAt = performance.now();
      for (;;) {
        const chunk = await verifyChunk(slowSql, progress.position, rows);
        const found: Progress = {
          checked: progress.checked + chunk.checked,
          position: chunk.next ?? progress.position,
          differences: [...progress.differences, ...chunk.differences].slice(0, maxDifferences),
          differenceCount: progress.differenceCount + chunk.differences.length,
        };
        progress = found;
        heartbeat(found.checked);
        const over = chunk.next === null;
        if (over || performance.now() - recordedAt >= recordEveryMs) {
          if (!(await recordProgress(slowSql, run, found, over))) return;
          recordedAt = performance.now();
        }
        if (over) {
          const { checked, differenceCount } = found;
          if (differenceCount > 0)
            log.error('the ledger and the levels differ', { verificationId: id, differenceCount });
          else log.info('the ledger was verified', { verificationId: id, checked });
          return;
        }
        stopped.throwIfAborted();
      }
    },

    /** Ends a cancelled verification. */
    cancelVerification: (id: string): Promise<void> => cancelVerification(slowSql, id),
  };
}

export type VerificationActivities = ReturnType<typeof verificationActivities>;
