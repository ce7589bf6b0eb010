/** `holdfast payments ...` */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { table } from '../terminal/output.js';
import { statusLines } from '../terminal/progress.js';
import { exitCodes, type Resource, type Session } from '../terminal/session.js';
import { example, segment } from './options.js';

/** How long the API should wait before the command shows progress instead. */
const waitSeconds = 2;
/** How often progress is read. */
const lookEveryMs = 500;
const path = '/api/payments/reconciliations';

export function addPaymentsCommands(group: Command, session: Session): void {
  group
    .command('reconcile')
    .description("compare payments with the processors' books; exits 1 if something is left to a person, or it fails")
    .requiredOption('--from <time>', 'where the window begins (RFC 3339)')
    .requiredOption('--to <time>', 'where it ends, excluded (RFC 3339)')
    .addHelpText('after', example('holdfast payments reconcile --from 2026-11-20T00:00:00Z --to 2026-11-21T00:00:00Z'))
    .action(async ({ from, to }: { from: string; to: string }) => {
      let reply = await session.post(path, { from, to }, { wait: waitSeconds });
      let found = await session.read(reply, 'reconciliation');
      const say = statusLines((line) => session.tell(line), 'reconciling');
      while (found?.status === 'running') {
        say('comparing', `comparing: ${found.compared} payments so far`);
        await sleep(lookEveryMs);
        reply = await session.get(`${path}/${segment(found.id)}`);
        found = await session.read(reply, 'reconciliation');
      }
      if (found === null) return;
      await session.show(reply, 'reconciliation', describe);
      const left = found.status === 'failed' || found.discrepancies.some(({ action }) => action === 'review');
      if (left) session.exitCode = exitCodes.refused;
    });
}

function describe({
  id,
  status,
  compared,
  discrepancies,
  discrepancyCount,
  failure,
}: Resource<'reconciliation'>): string {
  const payments = `${compared} ${compared === 1 ? 'payment' : 'payments'}`;
  if (status === 'failed') return `${id} failed after ${payments}: ${failure ?? 'for an unknown reason'}\n`;
  if (discrepancyCount === 0) return `${id}: the books agree (${payments})\n`;
  const columns = ['KIND', 'PAYMENT', 'PROCESSOR', 'OURS', 'THEIRS', 'ACTION'].map((title) => ({ title }));
  const rows = discrepancies.map(({ kind, paymentId, providerReference, ours, theirs, action }) => [
    ...[kind, paymentId, providerReference, side(ours), side(theirs)],
    action,
  ]);
  const count = `${discrepancyCount} ${discrepancyCount === 1 ? 'discrepancy' : 'discrepancies'}`;
  const more = discrepancyCount > discrepancies.length ? `the first ${discrepancies.length}:\n` : '';
  return `${id}: ${count} in ${payments}\n\n${more}${table(columns, rows)}`;
}

/** `captured 4918 USD` */
function side(said: Resource<'reconciliation'>['discrepancies'][number]['ours']): string | null {
  if (said === null) return null;
  const { status, amount, captured, currency } = said;
  return [status, captured ?? amount, currency].filter((part) => part !== undefined).join(' ');
}
