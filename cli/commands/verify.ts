/** `holdfast verify` */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { table } from '../terminal/output.js';
import { progressBar, statusLines } from '../terminal/progress.js';
import { exitCodes, type Resource, type Session } from '../terminal/session.js';

/** How long the API should wait before the command shows progress instead. */
const waitSeconds = 1;
/** How often progress is read. */
const lookEveryMs = 500;

export function addVerifyCommand(command: Command, session: Session): void {
  command.action(async () => {
    let reply = await session.post('/api/ledger/verifications', {}, { wait: waitSeconds });
    let found = await session.read(reply, 'verification');
    const say = statusLines((line) => session.tell(line), 'verifying');
    while (found?.status === 'running') {
      // Levels are counted by the worker that takes the verification.
      if (found.total === 0) say('waiting', 'waiting: no worker has taken the verification yet');
      else if (session.terminal.interactive)
        progressBar(session.terminal, Math.max(found.total, found.checked + 1), 'levels')(found.checked);
      else say('verifying', `verifying: ${found.checked} of ${found.total} levels`);
      await sleep(lookEveryMs);
      reply = await session.get(`/api/ledger/verifications/${found.id}`);
      found = await session.read(reply, 'verification');
    }
    if (found === null) return;
    progressBar(session.terminal, found.total, 'levels')(found.total);
    await session.show(reply, 'verification', describe);
    if (found.clean !== true) session.exitCode = exitCodes.refused;
  });
}

function describe({ status, checked, clean, differences, differenceCount }: Resource<'verification'>): string {
  const levels = `${checked} ${checked === 1 ? 'level' : 'levels'}`;
  if (status === 'cancelled') return `cancelled after ${levels}\n`;
  if (clean) return `clean: the ledger, the levels and the open holds agree (${levels})\n`;
  const columns = [
    { title: 'SKU' },
    { title: 'LOCATION' },
    { title: 'WHAT' },
    { title: 'EXPECTED', align: 'right' as const },
    { title: 'FOUND', align: 'right' as const },
  ];
  const rows = differences.map(({ sku, location, what, expected, found }) => [sku, location, what, expected, found]);
  const more = differenceCount > differences.length ? `the first ${differences.length}:\n` : '';
  return `${differenceCount} ${differenceCount === 1 ? 'difference' : 'differences'} in ${levels}\n\n${more}${table(columns, rows)}`;
}
