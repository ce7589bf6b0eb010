/** `holdfast bulk`: a file of inventory operations, in batches; a run that broke off can be resumed. */
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

/** So many problems of a file are listed. */
const maxProblems = 10;

interface BulkOptions {
  readonly file: string;
  readonly run: string;
  readonly results?: string;
}

const notes = `
Columns: operation (reserve, release or consume), sku, quantity; if needed location and reservationId (of a release).
The file is UTF-8, or UTF-16 with a byte order mark.

What became of each operation is written to <csv>.results.csv, or <csv>.<run>.results.csv with --run. Operations that come
from a stream have no such file: without --results their results are printed.

The same content is done once. If a run breaks off, the same command resumes it; if it was done before, the command says
so and does nothing. To do the same operations again, on purpose, name a new run with --run. A file that comes every day
takes the date as its run, so that a day's file is done once even if it equals the day before. Holdfast remembers a run
for as long as its results file is there; without that, for at least 24 hours.`;

export function addBulkCommand(command: Command, session: Session, currentFolder: string): void {
  command
    .requiredOption('--file <csv>', 'the operations; - for standard input')
    .option('--run <name>', 'the run that this is; a new name does the same content again', code, defaultRun)
    .option('--results <csv>', 'where the results go (default: beside the file)')
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
  session.fail(`nothing was done${more > 0 ? ` (${more} more lines are wrong)` : ''}`, exitCodes.usage);
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

/** The results are the output, so what else is said goes beside it. */
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

/** Sets the exit code as well: that of a repeated run is that of the run, 1 where an operation failed. */
function summarize(session: Session, outcome: Outcome, run: string, results: Results, more: object): string {
  const { operations, failed, resumed } = outcome;
  if (failed > 0) session.exitCode = exitCodes.refused;
  const alreadyDone = resumed === operations;
  const counts = { operations, succeeded: operations - failed, failed, resumed, run };
  if (session.json()) return `${JSON.stringify({ ...counts, alreadyDone, results: results.path, ...more })}\n`;
  const summary = fields(Object.entries({ ...counts, results: results.path }));
  if (!alreadyDone) return summary;
  const failures = failed > 0 ? '\nTo try the operations that failed, put their lines into a file of their own.\n' : '';
  return `already done in run ${run}: this command did nothing\n${summary}${failures}
To do the same operations again, name a new run: --run <name>. A file that comes every day
takes the date, so that each day counts: --run "$(date +%F)"
`;
}
