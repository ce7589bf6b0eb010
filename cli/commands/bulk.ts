/** `holdfast bulk`: a file of inventory operations, in batches, that may be broken off and taken up again. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { type Batch, type LineResult, ResultFile, readBulkFile } from '../bulk-file.js';
import type { Problem, Reply } from '../client.js';
import { fields } from '../output.js';
import { progressBar } from '../progress.js';
import { bulkResult } from '../resources.js';
import { exitCodes, type Session } from '../session.js';

/** Problems of a file that are told at most. */
const maxProblems = 10;
const rateLimitPauseMs = 1000;

interface BulkOptions {
  readonly file: string;
  readonly run: string;
}

export function addBulkCommand(program: Command, session: Session, currentFolder: string): void {
  program
    .command('bulk')
    .description(
      'do the inventory operations of a CSV file, 100 at a time. The results go to <file>.results.csv. After a break the same command goes on where it stopped; no operation is done twice',
    )
    .requiredOption(
      '--file <csv>',
      'columns: operation (reserve, release, consume), sku, quantity, location, reservationId',
    )
    .option('--run <name>', 'do a file again that was done before: a new name is a new run', '')
    .action(async (options: BulkOptions) => {
      const path = resolve(currentFolder, options.file);
      if (!existsSync(path)) return session.fail(`there is no file ${path}`, exitCodes.usage);
      const file = readBulkFile(path, options.run);
      if (file.kind === 'wrong') {
        for (const problem of file.problems.slice(0, maxProblems)) session.fail(problem, exitCodes.usage);
        const more = file.problems.length - maxProblems;
        return session.fail(`nothing was done${more > 0 ? ` (${more} more lines are wrong)` : ''}`, exitCodes.usage);
      }
      const results = new ResultFile(`${path}.results.csv`);
      const resumed = results.open(file.batches);
      if (resumed.kind === 'foreign')
        return session.fail(`${results.path} has the results of another file or run; move it away`, exitCodes.usage);
      await doBatches(session, file.batches, results, resumed.failed);
    });
}

/** Does the batches that have no results yet, one after the other: a line may build on those before it. */
async function doBatches(
  session: Session,
  batches: readonly Batch[],
  results: ResultFile,
  before: ReadonlyMap<string, number>,
): Promise<void> {
  const total = batches.reduce((sum, { operations }) => sum + operations.length, 0);
  const progress = progressBar(session.terminal, total, 'operations');
  let done = 0;
  let failed = 0;
  let resumed = 0;
  for (const batch of batches) {
    const known = before.get(batch.key);
    if (known !== undefined) {
      failed += known;
      resumed += batch.operations.length;
    } else {
      const answered = await doBatch(session, batch);
      if (answered === null) {
        progress(total);
        return session.tell(`${done} of ${total} operations have their results; the same command goes on from there`);
      }
      results.add(batch, answered);
      failed += answered.filter(({ success }) => !success).length;
    }
    done += batch.operations.length;
    progress(done);
  }
  const summary = { operations: total, succeeded: total - failed, failed, resumed, results: results.path };
  session.print(session.json() ? `${JSON.stringify(summary)}\n` : fields(Object.entries(summary)));
  if (failed > 0) session.exitCode = exitCodes.refused;
}

/** What became of each operation of the batch; null where the API could not be asked or refused the call as such. */
async function doBatch(session: Session, batch: Batch): Promise<readonly LineResult[] | null> {
  const body = { operations: batch.operations.map(({ operation }) => operation) };
  const ask = () => session.post('/api/inventory/bulk', body, { idempotencyKey: batch.key });
  let reply = await ask();
  while (problemOf(reply, 'rate_limited')) {
    await sleep(rateLimitPauseMs);
    reply = await ask();
  }
  // That every operation failed is an answer to each of them.
  const failed = bulkResult.safeParse(problemOf(reply, 'all_operations_failed'));
  const answered = failed.success ? failed.data : session.read(reply, bulkResult);
  return (
    answered &&
    batch.operations.map(({ line, operation }, index) => {
      const { success = false, result, error } = answered.results[index] ?? {};
      return {
        line,
        operation,
        success,
        reservationId: result?.reservationId ?? operation.reservationId ?? null,
        onHand: result?.onHand ?? null,
        reserved: result?.reserved ?? null,
        available: result?.available ?? null,
        code: error?.code ?? null,
        detail: error?.detail ?? null,
      };
    })
  );
}

function problemOf(reply: Reply | null, code: string): Problem | null {
  return reply?.kind === 'problem' && reply.problem.code === code ? reply.problem : null;
}
