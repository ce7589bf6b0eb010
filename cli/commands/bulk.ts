/** `holdfast bulk`: applies a file of inventory operations in batches. A run that broke off can be resumed. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type Batch, defaultRun, readBulkFile } from '../bulk/file.js';
import { ResultFile, ResultList, type Results } from '../bulk/results.js';
import { type Outcome, sendBatches } from '../bulk/send.js';
import { readSource } from '../bulk/source.js';
import { fields } from '../terminal/output.js';
import { exitCodes, type Session } from '../terminal/session.js';
import { code } from '../terminal/values.js';
import { example } from './options.js';

/** How many problems in a file are listed. */
const maxProblems = 10;

interface BulkOptions {
  readonly file: string;
  readonly run: string;
  readonly results?: string;
}

const notes = `
Columns: operation (reserve, release or consume), sku, quantity, and optionally location and reservationId (for a
release). The file is UTF-8, or UTF-16 with a byte order mark.

The result of each operation is written to <csv>.results.csv, or to <csv>.<run>.results.csv with --run. If the operations
come from a stream, their results are printed unless --results names a file.

The same content is applied once. If a run breaks off, the same command resumes it; if it is already done, the command
says so and does nothing. To apply the same operations again on purpose, name a new run with --run. For a daily file, use
the date as the run: each day's file is then applied once, even if it equals the one of the day before. Holdfast remembers
a run as long as its results file exists; without one, for at least 24 hours.`;

export function addBulkCommand(command: Command, session: Session, currentFolder: string): void {
  command
    .requiredOption('--file <csv>', 'the operations; - for standard input')
    .option('--run <name>', 'the name of this run; a new name applies the same content again', code, defaultRun)
    .option('--results <csv>', 'where to write the results (default: next to the file)')
    .addHelpText('after', notes)
    .addHelpText(
      'after',
      example('holdfast bulk --file picked.csv', 'holdfast bulk --file daily.csv --run "$(date +%F)"'),
    )
    .action(async (options: BulkOptions) => {
      const source = await readSource(options.file, currentFolder);
      if (source.kind === 'wrong') return session.fail(source.problem, exitCodes.usage);
      const file = readBulkFile(source.content, options.run);
      if (file.kind === 'wrong') return reportProblems(session, file.problems);
      const path = options.results === undefined ? beside(source.path, options.run) : options.results;
      if (path === null) return await toTerminal(session, file.batches, options.run);
      await toFile(session, file.batches, options.run, new ResultFile(resolve(currentFolder, path)));
    });
}

function beside(path: string | null, run: string): string | null {
  if (path === null) return null;
  return run === defaultRun ? `${path}.results.csv` : `${path}.${run}.results.csv`;
}

function reportProblems(session: Session, problems: readonly string[]): void {
  for (const problem of problems.slice(0, maxProblems)) session.tell(problem);
  const more = problems.length - maxProblems;
  session.fail(`nothing was done${more > 0 ? ` (${more} more lines have problems)` : ''}`, exitCodes.usage);
}

async function toFile(session: Session, batches: readonly Batch[], run: string, results: ResultFile): Promise<void> {
  const opened = results.open(batches);
  if (opened.kind === 'foreign')
    return session.fail(
      `${results.path} holds the results of another file: move it away, or name another file with --results`,
      exitCodes.usage,
    );
  if (opened.kind === 'unusable')
    return session.fail(
      `cannot keep results in ${results.path} (${opened.problem}); --results names another file. Nothing was done`,
      exitCodes.usage,
    );
  const outcome = await sendBatches(session, batches, results, opened.failed);
  if (outcome !== null) session.print(summarize(session, outcome, run, results, {}));
}

/** The results are the output, so everything else goes to stderr. */
async function toTerminal(session: Session, batches: readonly Batch[], run: string): Promise<void> {
  const results = new ResultList();
  const outcome = await sendBatches(session, batches, results, new Map());
  if (session.json()) {
    if (outcome !== null) session.print(summarize(session, outcome, run, results, { lines: results.objects() }));
    return;
  }
  if (results.rows.length > 0) session.print(results.csv());
  if (outcome !== null) session.terminal.err(summarize(session, outcome, run, results, {}));
}

/** Also sets the exit code: 1 if an operation failed, in this run or in the one it repeats. */
function summarize(session: Session, outcome: Outcome, run: string, results: Results, more: object): string {
  const { operations, failed, resumed } = outcome;
  if (failed > 0) session.exitCode = exitCodes.refused;
  const alreadyDone = resumed === operations;
  const counts = { operations, succeeded: operations - failed, failed, resumed, run };
  if (session.json()) return `${JSON.stringify({ ...counts, alreadyDone, results: results.path, ...more })}\n`;
  const summary = fields(Object.entries({ ...counts, results: results.path }));
  if (!alreadyDone) return summary;
  const failures = failed > 0 ? '\nTo retry the failed operations, put their lines into a separate file.\n' : '';
  return `already done in run ${run}: this command did nothing\n${summary}${failures}
To apply the same operations again, name a new run: --run <name>. For a daily file, use the
date, so that each day is applied: --run "$(date +%F)"
`;
}
